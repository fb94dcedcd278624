import { createHash } from 'node:crypto';
import { fail } from './fail.ts';
import { currentScope } from './scope.ts';
import { deployedSlug, type Services } from './services.ts';
import type { Target } from './target.ts';

/** The only statements that a grant matrix may hold: anything else could do more than grant and revoke. */
const matrixStatement = /^(GRANT|REVOKE|ALTER\s+DEFAULT\s+PRIVILEGES)\s/i;

/** The grant matrix that an app is to have. */
export interface GrantMatrix {
  readonly statements: readonly string[];
  /** SHA-256 of its text, in hex. */
  readonly digest: string;
}

/**
 * The grant matrix of a target: the file beside the target file, or, where the target says so, the one in the app's
 * repository at the commit that is deployed, so that it changes with the schema that it is about.
 *
 * @throws ApplicationFailure `GrantMatrixInvalid`
 */
export async function grantMatrix(services: Services, target: Target): Promise<GrantMatrix> {
  if (target.matrix !== null) return target.matrix;
  const { grants } = target.role;
  if (typeof grants === 'string') throw invalid(target.app, `the file ${grants} was not read`);
  const { commit } = await deployedSlug(services, target.app);
  if (commit === null) throw invalid(target.app, 'the slug tells no commit at which to read it');
  return readMatrix(target.app, await services.github.readFile(grants.repository, grants.path, commit));
}

/**
 * A grant matrix, its comments taken off.
 *
 * @throws ApplicationFailure `GrantMatrixInvalid`
 */
export function readMatrix(app: string, text: string): GrantMatrix {
  const plain = text.replace(/--[^\n]*/g, '');
  // Quotes and dollar quotes could hide a statement from the splitting below, and plain names need none.
  const quote = /['"$]|\/\*/.exec(plain)?.[0];
  if (quote !== undefined) throw invalid(app, `it holds ${quote}; expected plain names and -- comments only`);
  const statements = plain
    .split(';')
    .map((part) => part.replace(/\s+/g, ' ').trim())
    .filter((part) => part !== '');
  const other = statements.find((one) => !matrixStatement.test(one));
  if (other !== undefined) {
    // Cut in two, a secret could not be found any more.
    throw invalid(
      app,
      `it holds \`${currentScope().secrets.redact(other).slice(0, 80)}\`; expected GRANT, REVOKE and ALTER DEFAULT PRIVILEGES only`,
    );
  }
  if (statements.length === 0) throw invalid(app, 'it holds no statement');
  return { statements, digest: createHash('sha256').update(text).digest('hex') };
}

function invalid(app: string, problem: string) {
  return fail(
    'GrantMatrixInvalid',
    `The grant matrix of ${app} was refused: ${problem}. Correct the file, then start again.`,
  );
}
