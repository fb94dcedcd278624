import { GithubError } from './protocol.ts';

/** `created=>=2026-01-02T03:04:05Z`, `<…`, `a..b` (with `*` for open ends) or one day. [docs] search syntax, dates */
export function createdFilter(text: string | null): (at: number) => boolean {
  if (text === null) return () => true;
  const range = /^(.+)\.\.(.+)$/.exec(text);
  if (range) {
    const from = range[1] === '*' ? -Infinity : moment(range[1]);
    const to = range[2] === '*' ? Infinity : moment(range[2]) + precision(range[2]);
    return (at) => at >= from && at < to;
  }
  const [, operator = '', value] = /^(>=|<=|>|<)?(.+)$/.exec(text) ?? [];
  const [from, to] = [moment(value), moment(value) + precision(value)];
  if (operator === '>=') return (at) => at >= from;
  if (operator === '>') return (at) => at >= to;
  if (operator === '<=') return (at) => at < to;
  if (operator === '<') return (at) => at < from;
  return (at) => at >= from && at < to;
}

function moment(text: string | undefined): number {
  const at = Date.parse(text ?? '');
  if (Number.isNaN(at))
    throw new GithubError(422, 'Invalid created filter', 'actions/workflow-runs#list-workflow-runs-for-a-repository');
  // Runs are kept to the second.
  return Math.floor(at / 1000) * 1000;
}

/** How long the named moment lasts: a day is a day, a time is a second. */
function precision(text: string | undefined): number {
  return (text ?? '').includes('T') ? 1000 : 24 * 60 * 60 * 1000;
}
