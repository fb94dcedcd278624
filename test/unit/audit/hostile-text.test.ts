import { describe, expect, test } from '@jest/globals';
import { recordOf } from '../../../audit/record-files.ts';
import { verifyRecord } from '../../../audit/verify.ts';
import { runOf, written } from './histories.ts';

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><script>alert(1)</script>',
  '</title></svg><script>alert(1)</script>',
  '[click me](https://evil.example/paste-this)',
  '![x](https://evil.example/pixel.png)',
  '| Mallory | approved | `x` |',
  '**approved** `by` _everyone_ ~~never~~ $x$',
  'javascript:alert(1)',
  'https://evil.example/"onclick="alert(1)',
  'line one\n## A heading\n\n| a | b |\n| --- | --- |\r\n- item',
  '\u001b[31mred\u001b[0m \u202eturned round\u202c',
  '&lt;script&gt; &amp;',
  '`` ` ``',
];

/** A run in which every text that anybody may write is this one. */
function recordWith(text: string) {
  const digest = 'ab'.repeat(32);
  return recordOf([
    runOf([
      written.started({ app: text, requestedBy: text, mode: text }, { identity: text, workflowId: text }),
      written.scheduled(text, { step: text, attempt: 1 }, text),
      written.begun(2, 2),
      written.done(2, 'acted', {
        facts: { [text]: text },
        observations: { [text]: [text] },
        digest,
        release: 3,
        link: text,
      }),
      written.journal(1, 'gateOpened', text, { gate: text, digest }),
      written.signal(text, { gate: text, by: text, reason: text, plan: digest }, text, {
        principal: { type: text, name: text },
      }),
      written.journal(2, text, text, { gate: text, by: text, reason: text, [text]: text }),
      written.signal(text, { by: text }, text),
      written.signal(text, { by: text }, text),
      written.journal(3, 'messageRefused', text, { message: text, by: text, why: text }),
      written.scheduled(text, { step: `${text}2`, attempt: 1 }, text),
      written.begun(11),
      written.failed(11, text, text),
      written.memo({ [text]: text }),
      written.terminated(text, text),
    ]),
  ]);
}

describe.each(hostile)('%j', (text) => {
  const { record, files } = recordWith(text);
  const html = files['record.html'];
  const markdown = files['record.md'];

  test('is in the record as it was sent, and the record holds', () => {
    expect(record.summary.requestedBy.claimed).toBe(text);
    expect(verifyRecord(files)).toEqual([]);
  });

  test('makes no element, attribute or address in the HTML', () => {
    const tags = [...html.matchAll(/<\/?([a-z!][a-z0-9]*)((?:[^<>"]|"[^"]*")*)>/gi)];
    // Every bracket is one of a tag that was meant.
    expect(html.replace(/<style>[^]*?<\/style>/, '').split('<').length - 1).toBe(
      tags.filter(([, name]) => name !== 'style').length,
    );
    const names = new Set(tags.map(([, name]) => name?.toLowerCase()));
    for (const name of ['script', 'img', 'iframe', 'object', 'form', 'input', 'base'])
      expect(names).not.toContain(name);
    for (const [, , attributes = ''] of tags) {
      const used = [...attributes.matchAll(/([a-z-]+)\s*=\s*"([^"]*)"/gi)];
      expect(used.filter(([, name]) => name?.startsWith('on'))).toEqual([]);
      for (const [, name, value = ''] of used)
        if (name === 'href') expect(value).toMatch(/^(#entry-\d+|https?:\/\/[^\s]*)$/);
    }
    expect(html).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
  });

  test('makes no link, picture, heading, table or tag in the Markdown', () => {
    const lines = markdown.split('\n');
    const plainMarkdown = markdown.replace(/`[^`\n]*`/g, '').replace(/\[entry \d+\]\(#entry-\d+\)/g, '');
    expect(plainMarkdown).not.toMatch(/(?<!\\)\]\(/);
    expect(plainMarkdown.replace(/<a id="entry-\d+"><\/a>/g, '')).not.toMatch(/<[a-z/!]/i);
    const ownMarks = /\*\*[A-Z][a-z ]+:\*\*/g;
    expect(plainMarkdown.replace(ownMarks, '')).not.toMatch(/(?<!\\)[*~$]/);
    const headings = lines.filter((line) => line.startsWith('#'));
    expect(headings).not.toContain('## A heading');
    // Every row of a table has the cells that its head has.
    for (const [index, line] of lines.entries()) {
      if (!/^\| --- /.test(line)) continue;
      const cells = (row: string): number => row.replace(/\\\|/g, '').split('|').length;
      for (let row = index; lines[row]?.startsWith('|'); row += 1) expect(cells(lines[row] ?? '')).toBe(cells(line));
    }
    expect(markdown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
  });
});

test('a payload that is nested without end is told as unreadable', () => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  const event = written.signal('approve', null) as unknown as {
    workflowExecutionSignaledEventAttributes: { input: unknown };
  };
  event.workflowExecutionSignaledEventAttributes.input = {
    payloads: [
      {
        metadata: { encoding: Buffer.from('json/plain').toString('base64') },
        data: Buffer.from(deep).toString('base64'),
      },
    ],
  };
  const { record, files } = recordOf([
    runOf([written.started({ app: 'written', requestedBy: 'Rita' }), event as never]),
  ]);
  expect(record.unreadable).toBe(1);
  expect(verifyRecord(files)).toEqual([]);
});
