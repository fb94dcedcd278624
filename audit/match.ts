import { fieldsOf, textOf, type Fields } from './payloads.ts';
import { principalText, type Draft } from './draft.ts';
import type { Actor } from './record-schema.ts';

/** An entry of the journal with the message that it answers. */
export interface Answer {
  /** Index of the message among the entries. */
  readonly message: number | null;
  readonly who: Actor | null;
}

/** What a sender was found to be: settled after the message came in, so it stands in a line of its own. */
const identified = 'identified';

/**
 * Finds for each journal entry the message that it answers. The run takes messages in the order of the history and
 * says in the journal what became of each, so the first message that nobody has answered yet, and that says the same,
 * is the one. A handler learns of no event ids, which is why order and content have to do.
 *
 * @returns by index of the entry
 */
export function answers(drafts: readonly Draft[]): Map<number, Answer> {
  const open: number[] = [];
  const taken: number[] = [];
  const found = new Map<number, Answer>();
  drafts.forEach((draft, index) => {
    if (isMessage(draft)) open.push(index);
    if (draft.kind !== 'journal' || !answersSomebody(draft)) return;
    const candidate = (indexes: readonly number[]): number | undefined =>
      indexes.find((message) => {
        const sent = drafts[message];
        return sent !== undefined && fits(draft, sent);
      });
    const first = candidate(open);
    if (draft.name === identified) {
      // It follows the decision that counted; a double of its message, which nobody answers, may be open still.
      found.set(index, answer(draft, drafts, candidate(taken.toReversed()) ?? first));
      return;
    }
    if (first !== undefined) {
      open.splice(open.indexOf(first), 1);
      taken.push(first);
    }
    found.set(index, answer(draft, drafts, first ?? candidate(taken.toReversed())));
  });
  return withIdentified(drafts, found);
}

function isMessage({ kind }: Draft): boolean {
  return kind === 'signal' || kind === 'update' || kind === 'cancel';
}

/** What the event carried; journals of early runs have the text alone. */
function carriedBy(draft: Draft): Fields {
  const data = fieldsOf(draft.data['data']);
  return { ...data, ...('by' in data ? {} : { by: fieldsOf(data['outcome'])['by'] }) };
}

function answersSomebody(draft: Draft): boolean {
  if (!('data' in draft.data)) return ['approved', 'resolved', 'messageRefused'].includes(draft.name);
  // The launch repeats who approved it, in a line of its own.
  if (draft.name === 'sealing') return false;
  const said = carriedBy(draft);
  return textOf(said['by']) !== null || 'message' in said || draft.name === identified;
}

function fits(draft: Draft, message: Draft): boolean {
  const payload = fieldsOf(message.data['payload']);
  const by = textOf(payload['by'])?.trim() ?? null;
  if (!('data' in draft.data)) {
    const named = [by, draft.name === 'messageRefused' ? null : textOf(payload['gate'] ?? payload['step'])];
    return by === null ? draft.name === 'messageRefused' : named.every((name) => draft.text.includes(name ?? ''));
  }

  const said = carriedBy(draft);
  // A cancellation carries no name: it is what ends a run that nobody with a name ended.
  if (message.kind === 'cancel') return draft.name === 'ended' || said['message'] === 'cancel';
  const refused = textOf(said['message']);
  if (refused !== null && refused !== message.name.slice(0, refused.length)) return false;
  if (draft.name !== identified || 'by' in said) {
    const claimed = textOf(said['by']);
    // Names are cut where they are shown beside a refusal.
    // A name that looks like a credential is not repeated beside the refusal of its message.
    if (claimed === null ? by !== null && refused === null : !by?.startsWith(claimed.trim())) return false;
  }
  if (draft.name === 'ended') return true;
  const alike = ['gate', 'step', 'attempt', 'action', 'reason', 'id'].every(
    (key) =>
      said[key] === undefined ||
      // The message launch is for the gate of its name, and names none.
      (key === 'gate' && said[key] === message.name) ||
      (payload[key] === undefined ? key !== 'gate' && key !== 'step' : normal(said[key]) === normal(payload[key])),
  );
  const plan = textOf(payload['plan']);
  const digest = textOf(said['digest']);
  return alike && (plan === null || digest === null || digest.startsWith(plan));
}

function normal(value: unknown): unknown {
  return typeof value === 'string' ? value.trim() : value;
}

function answer(draft: Draft, drafts: readonly Draft[], message: number | undefined): Answer {
  const sent = message === undefined ? undefined : drafts[message];
  const said = carriedBy(draft);
  return {
    message: message ?? null,
    who: {
      claimed: textOf(said['by']) ?? sent?.who?.claimed ?? null,
      identity: sent?.who?.identity ?? textOf(said['identity']),
      principal: sent?.who?.principal ?? principalText(said['principal']),
    },
  };
}

/** Takes what was found out about a sender over to every other answer to the same message. */
function withIdentified(drafts: readonly Draft[], found: ReadonlyMap<number, Answer>): Map<number, Answer> {
  const known = new Map(
    [...found].flatMap(([index, { message, who }]) =>
      drafts[index]?.name === identified && message !== null && who !== null ? [[message, who] as const] : [],
    ),
  );
  return new Map(
    [...found].map(([index, one]) => {
      const more = one.message === null ? undefined : known.get(one.message);
      if (more === undefined || one.who === null) return [index, one];
      const { claimed, identity, principal } = one.who;
      return [
        index,
        {
          ...one,
          who: { claimed, identity: identity ?? more.identity, principal: principal ?? more.principal },
        },
      ];
    }),
  );
}
