import { fail } from './fail.ts';

/** The chain of revisions that a slug carries. */
export interface RevisionChain {
  readonly head: string;
  /** The revisions below `to` that are not below `from`, oldest first. */
  pending(from: string | null): string[];
  readonly revisions: readonly string[];
}

// `0001_baseline -> 0002_orders (head), add orders`; several parents are joined by commas, the first one is <base>.
// Parentheses hold what the revision depends on (before the arrow), its branch labels and its marks [ran: Alembic 1].
const line = /^(?<parents>\S+(?:, \S+)*)(?: \([^()]*\))? -> (?<revision>[^\s,(]+)(?<flags>(?: \([^()]*\))*)(?:,|$)/;

/**
 * Reads what `alembic history` prints; lines of other shapes (log lines, blank ones) are passed over.
 *
 * @throws ApplicationFailure `MigrationHeadsUnclear` when there is no head, or more than one
 */
export function readHistory(output: string): RevisionChain {
  const parents = new Map<string, string[]>();
  const heads: string[] = [];
  for (const text of output.split('\n')) {
    const match = line.exec(text.trim())?.groups;
    if (match?.['revision'] === undefined) continue;
    parents.set(
      match['revision'],
      (match['parents'] ?? '').split(', ').filter((parent) => parent !== '<base>'),
    );
    if (/[( ]head\)/.test(match['flags'] ?? '')) heads.push(match['revision']);
  }
  const [head] = heads;
  if (head === undefined || heads.length > 1) {
    const seen = heads.length > 1 ? `has ${heads.length} heads (${heads.join(', ')})` : 'shows no head';
    throw fail(
      'MigrationHeadsUnclear',
      `The slug ${seen}; expected exactly one. Merge the heads (alembic merge) and deploy, then start again.`,
    );
  }

  // Each revision once: a chain with many merges has more ways down than can be walked.
  const below = (revision: string, found = new Set<string>()): Set<string> => {
    if (found.has(revision)) return found;
    for (const parent of parents.get(revision) ?? []) below(parent, found);
    return found.add(revision);
  };
  return {
    head,
    revisions: [...parents.keys()],
    pending(from) {
      if (from !== null && !parents.has(from)) {
        throw fail(
          'MigrationHeadsUnclear',
          `The database is at the revision ${from}, which the slug does not know; expected one of ${[...parents.keys()].join(', ')}. ` +
            'Deploy the slug that has it, then start again.',
        );
      }
      const applied = from === null ? new Set<string>() : below(from);
      return [...below(head)].filter((revision) => !applied.has(revision));
    },
  };
}
