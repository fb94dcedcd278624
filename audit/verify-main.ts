// `npm run audit:verify`: see usage in options.ts.
import { command } from './command.ts';
import { readVerifyOptions, verifyUsage } from './options.ts';
import { readFolder } from './record-files.ts';
import { isSignedBy } from './signature.ts';
import { verifyRecord, type Finding } from './verify.ts';

await command(verifyUsage, async (say) => {
  const { help, folder, key } = readVerifyOptions(process.argv.slice(2), process.env);
  if (help) return say(verifyUsage);
  const { signature, ...files } = await readFolder(folder);
  const findings: Finding[] = verifyRecord(files);
  if (key !== undefined) {
    const problem =
      signature === undefined
        ? 'it is not signed'
        : (await isSignedBy(files.SHA256SUMS ?? '', signature, key))
          ? null
          : `the signature is not one of SHA256SUMS by the owner of ${key}`;
    if (problem !== null) findings.push({ entry: null, problem });
  }
  if (findings.length > 0) {
    say(`${folder} does not hold:`);
    for (const { entry, problem } of findings) say(`  ${entry === null ? '' : `entry ${entry}: `}${problem}`);
    process.exitCode = 1;
    return;
  }
  const signed =
    key !== undefined
      ? `, signed by the owner of ${key}`
      : signature === undefined
        ? ', not signed'
        : "; it is signed: give the signer's public key with --key to check that too";
  say(`${folder} holds: every entry follows from history.json${signed}.`);
  say(`  head digest  ${headOf(files['record.json'])}`);
});

function headOf(text: string | undefined): string {
  return (JSON.parse(text ?? '{}') as { head?: string }).head ?? '';
}
