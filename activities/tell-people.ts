import type { Notice } from '../workflows/notice.ts';
import { WebhookError } from './clients/webhook.ts';
import { fail } from './fail.ts';
import { noticeText } from './notice-text.ts';
import { pageOfRun } from './run-page.ts';
import type { Services } from './services.ts';

/**
 * Sends people a notice. A retry may send it once more: its id is then the same.
 *
 * @returns whether it was taken; not where this worker knows no webhook, although the one that began the run did
 * @throws ApplicationFailure `NoticeNotSent`
 */
export async function tellPeople({ people }: Services, notice: Notice): Promise<{ told: boolean }> {
  if (people === undefined) return { told: false };
  const page = pageOf(people.webUi, notice);
  const { asked, at, ...rest } = notice;
  const body = {
    text: noticeText(notice, page),
    // Slack takes `text` and leaves what it does not know [assumed].
    notice: {
      ...rest,
      at: new Date(at).toISOString(),
      asked: asked && { ...asked, until: asked.until === null ? null : new Date(asked.until).toISOString() },
      link: page,
    },
  };
  try {
    await people.webhook.post(body);
  } catch (error) {
    if (!(error instanceof WebhookError)) throw error;
    throw fail(
      'NoticeNotSent',
      `${error.message}; the notice ${notice.id} was not taken. It is tried again a few times, and the run goes on without it. ` +
        "See that the receiver is up, and that the worker's CUTOVER_WEBHOOK_URL is its address.",
    );
  }
  return { told: true };
}

/** The page of the run as it is now, or of the very one that has ended: behind that there may be another. */
function pageOf(webUi: string | null, { event }: Notice): string | null {
  return pageOfRun(webUi, event === 'ended');
}
