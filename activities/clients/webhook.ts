import { currentScope, within } from '../scope.ts';

/** Milliseconds after which a receiver counts as not answering. */
const timeoutMs = 8_000;

/** Takes JSON at an address that is a secret: whoever knows it can write there. */
export interface Webhook {
  /** @throws WebhookError */
  post(body: unknown): Promise<void>;
}

/** The webhook did not take a message. It says nothing of the address, host and port included, nor of the answer. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

/**
 * @param url the secret
 * @param redactJson cleans what is sent of all that this process knows to be secret
 */
export function createWebhook(url: string, redactJson: (json: string) => string): Webhook {
  return {
    async post(body) {
      const { signal, secrets } = currentScope();
      secrets.add(url, "the webhook's URL");
      let status: number;
      try {
        status = await within(timeoutMs, async (inTime) => {
          const answer = await fetch(url, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: redactJson(JSON.stringify(body)),
            // Elsewhere it would come to somebody whom nobody has named.
            redirect: 'manual',
            signal: inTime,
          });
          await answer.body?.cancel();
          return answer.status;
        });
      } catch (error) {
        signal.throwIfAborted();
        // Without its cause, whose text names the host.
        throw new WebhookError(
          `The webhook did not answer: ${codeOf(error) ?? `nothing came within ${timeoutMs / 1000} s`}`,
        );
      }
      if (status < 200 || status > 299) throw new WebhookError(`The webhook answered ${status}`);
    },
  };
}

/** What Node's fetch hides in its cause: `ECONNREFUSED`, `ENOTFOUND` and the like. */
function codeOf(error: unknown): string | undefined {
  const { code } = ((error as { cause?: unknown }).cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
