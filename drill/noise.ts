import type { Status } from '../workflows/view.ts';
import { shuffled, type Random } from './random.ts';
import type { Run } from './stage.ts';

interface Noise {
  readonly name: string;
  readonly message: Readonly<Record<string, unknown>>;
}

/** Digests of plans that nobody has made. */
const wrongDigest = '0123456789ab'.repeat(2);

/**
 * Sends, in random order, messages that must not count at this question: of other gates, of plans that nobody made, of
 * people who may not, of no form at all; and an approval that does count, which comes twice in one form and twice in
 * another. What passes by itself is approved too, which must not count either.
 *
 * @returns how many
 */
export async function sendNoise(run: Run, { waitingFor, requestedBy }: Status, random: Random): Promise<number> {
  if (waitingFor === null) return 0;
  const { signal, message, needed } = waitingFor;
  const gates = ['go', 'rm-11', 'launch', 'rotate', 'window', 'no-such-gate'];
  const others = gates.filter((gate) => gate !== message['gate']);
  const wrong: Noise[] = [
    // Early, late, or of no gate at all.
    ...others.map((gate) => ({ name: 'approve', message: { ...message, gate, by: 'Ada' } })),
    { name: 'launch', message: { by: 'Ada', plan: wrongDigest, backup: { continuousProtection: true } } },
    // Of another plan.
    { name: signal, message: { ...message, by: 'Ada', plan: wrongDigest } },
    { name: 'reject', message: { gate: message['gate'], plan: wrongDigest, by: 'Bo', reason: 'of another plan' } },
    // Of somebody who may not: a stranger, and who asked for it.
    { name: signal, message: { ...message, by: 'Mallory' } },
    { name: signal, message: { ...message, by: requestedBy } },
    // About nothing that is parked.
    { name: 'resolve', message: { step: 'flag', attempt: 1, by: 'Ada', action: 'abort', reason: 'nothing is parked' } },
    { name: 'killSwitch', message: { by: 'Mallory', reason: 'who is that?' } },
    // Of no form.
    { name: signal, message: { by: 'Ada' } },
    { name: 'aprove', message: { ...message, by: 'Ada' } },
  ];
  const id = `drill-${Math.floor(random() * 1e9)}`;
  const right: Noise = { name: signal, message: { ...message, by: 'Ada', id } };
  const { gate, plan } = message;
  // What passes by itself is approved by nobody; and the message that it waits for would end it.
  const meant =
    needed === 0
      ? [...wrong.filter(({ name }) => name !== signal), { name: 'approve', message: { gate, plan, by: 'Ada' } }]
      : [...wrong, right, right, { ...right, message: { ...message, by: 'Ada' } }];
  const sent = shuffled(meant, random);
  for (const { name, message: payload } of sent) await run.signal(name, payload);
  return sent.length;
}
