import { format, resolveConfig } from 'prettier';
import type { z } from 'zod';
import { targetSchema } from '../../activities/target.ts';
import { failures } from '../../workflows/failures.ts';
import { inputs, type WorkflowType } from '../../workflows/input.ts';
import { messageNames, messages } from '../../workflows/messages.ts';
import { stepIds, steps } from '../../workflows/steps.ts';
import { fieldsOf } from './fields.ts';

export const referenceFile = 'docs/reference.md';

/** The whole page, from the code. */
export async function referencePage(): Promise<string> {
  return format(text(), { ...(await resolveConfig(referenceFile)), filepath: referenceFile });
}

function text(): string {
  return [
    '# Reference',
    'Written from the code by `npm run docs`. What the fields of a target file are for stands in [target-file.md](target-file.md), what',
    'becomes of a run in [operator.md](operator.md).',
    '',
    '## The input of a run',
    '',
    'The workflow id is `cutover-<app>` for each type of workflow.',
    '',
    ...(Object.keys(inputs) as WorkflowType[]).flatMap((type) => [
      `### \`${type}\``,
      '',
      fieldTable(inputs[type].schema),
      '',
    ]),
    '',
    '## Messages',
    '',
    'Each is a signal and an update of the same name. `status` is a query: where the run stands, what it waits for, and the message',
    'that would move it.',
    '',
    ...messageNames.flatMap((name) => [
      `### \`${name}\``,
      '',
      messages[name].description.replace(/((?:"\w+":)?\{[^]*?\})(?=[;,.]| or |$)/g, '`$1`'),
      '',
      fieldTable(messages[name].payload),
      '',
    ]),
    '## Failure types',
    '',
    '`refused`: before the first write the run ends and nothing was changed; behind it, the step parks. `parked`: a person decides, in',
    'every phase. `voided`: what was approved no longer holds; it is surveyed and asked anew. `retried`: tried again by the server,',
    'then parked.',
    '',
    table(
      ['type', 'handling', 'meaning'],
      Object.entries(failures).map(([type, { handling, meaning }]) => [`\`${type}\``, handling, meaning]),
    ),
    '',
    '## Steps',
    '',
    table(
      ['step', 'what it does', 'writes'],
      stepIds.map((id) => [`\`${id}\``, steps[id].title, steps[id].writes ? 'yes' : '']),
    ),
    '',
    '## The target file',
    '',
    'A path with `[]` is a field of each block of a list; what stands in brackets tells one kind of block from the others.',
    '',
    fieldTable(targetSchema),
    '',
  ].join('\n');
}

function fieldTable(schema: z.ZodTypeAny): string {
  return table(
    ['field', 'takes', 'unless said'],
    fieldsOf(schema).map(({ path, takes, unless }) => [
      `\`${path}\``,
      takes,
      unless === '' ? '**must be given**' : unless,
    ]),
  );
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('<', '&lt;')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
