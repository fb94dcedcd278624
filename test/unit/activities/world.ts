import { createActivities, type Activities } from '../../../activities/index.ts';
import { NoAnswerError } from '../../../activities/clients/errors.ts';
import type { CertificateStore, Services } from '../../../activities/services.ts';
import type { Target } from '../../../activities/target.ts';
import { steps, type Evidence, type StepCall, type StepId, type StepResult } from '../../../workflows/steps.ts';
import { FakeDatabase } from './fake-database.ts';
import { FakeGithub } from './fake-github.ts';
import { FakeHeroku } from './fake-heroku.ts';
import { inActivity, type ActivityOptions } from './in-activity.ts';
import { sampleTarget } from './sample-target.ts';

/** Everything that activities reach, in memory, and the app's revisions as its slug and its database have them. */
export class World {
  readonly heroku = new FakeHeroku();
  readonly github = new FakeGithub();
  readonly database = new FakeDatabase();
  target: Target;
  /** Revisions of the deployed slug, oldest first. */
  revisions = ['0001', '0002'];
  /** Version files of the slug that name the role. */
  filesNamingRole: string[] = [];
  /** Upgrades that ran to their end. */
  upgrades = 0;
  /** What an upgrade does instead of succeeding. */
  upgrade: (() => { output: string; status: number | undefined }) | undefined;
  /** How the command that reads and writes on SQLite ends. */
  verify: () => { output: string; status: number | undefined } = () => ({ output: 'read and written', status: 0 });
  #lost = new Map<string, number>();
  readonly #activities: Activities;

  constructor(target: Target = sampleTarget(), certificates?: CertificateStore) {
    this.target = target;
    this.heroku.runCommand = (command) => this.#runCommand(command);
    this.database.accepts = ({ username, password }) =>
      password === (this.heroku.passwords.get(username) ?? this.heroku.password);
    const services: Services = {
      heroku: this.#losing(this.heroku.client),
      github: this.#losing(this.github.client),
      postgres: this.database.client,
      targets: { read: () => Promise.resolve(this.target) },
      certificates,
      slugReports: new Map(),
      hostEnv: {},
    };
    this.#activities = createActivities(services);
  }

  /** An answer of a method of a service, the next one or a later one, is lost: what it does happens, unheard of. */
  loseAnswerOf(method: keyof FakeHeroku['client'] | keyof FakeGithub['client'], which = 1): void {
    this.#lost.set(method, which);
  }

  /** Performs a step as a worker does. */
  perform<S extends StepId>(
    step: S,
    call: Partial<StepCall> = {},
    options?: ActivityOptions,
  ): Promise<StepResult<Evidence<S>>> {
    const whole: StepCall = {
      app: this.target.app,
      step,
      attempt: 1,
      run: 'run-1',
      since: Date.now(),
      targetDigest: this.target.digest,
      ...call,
    };
    const activity = this.#activities[steps[step].activity] as (call: StepCall) => Promise<StepResult<Evidence<S>>>;
    return inActivity(() => activity(whole), { ...options, args: [whole] });
  }

  /** All that a step could have changed, for tests that nothing was. */
  snapshot(): unknown {
    const { vars, attachments, credentials, releases, restarts, dynos } = this.heroku;
    const { details, formation } = this.heroku;
    const { revisions, privileges, grantsCommitted, bookkeeping } = this.database;
    return structuredClone({
      vars,
      attachments,
      credentials: [...credentials],
      releases,
      restarts,
      dynos,
      maintenance: details.maintenance,
      formation,
      bookkeeping,
      runs: this.github.runs.length,
      issues: this.github.issues,
      comments: this.github.comments,
      revisions,
      privileges,
      grantsCommitted,
      upgrades: this.upgrades,
    });
  }

  #losing<T extends object>(client: T): T {
    return new Proxy(client, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
        return async (...args: unknown[]): Promise<unknown> => {
          const answer = await method(...args);
          const left = (this.#lost.get(String(name)) ?? 0) - 1;
          this.#lost.set(String(name), left);
          if (left === 0) throw new NoAnswerError('Heroku', String(name), new Error('socket hang up'));
          return answer;
        };
      },
    });
  }

  #runCommand(command: string): { output: string; status: number | undefined } {
    if (command.includes(this.target.rollback?.verify ?? '\0')) return this.verify();
    if (command.includes(this.target.migrations.upgrade)) return this.#runUpgrade();
    if (!command.includes(this.target.migrations.history)) throw new Error(`no such command: ${command}`);
    const lines = this.revisions.map((revision, index, all) => {
      const mark = index === all.length - 1 ? ' (head)' : '';
      return `${all[index - 1] ?? '<base>'} -> ${revision}${mark}, a message`;
    });
    const divider = /echo '([^']*)'/.exec(command)?.[1];
    return { output: [...lines.reverse(), divider, ...this.filesNamingRole].join('\n'), status: 0 };
  }

  #runUpgrade(): { output: string; status: number | undefined } {
    if (this.upgrade !== undefined) return this.upgrade();
    this.upgrades += 1;
    this.database.revisions = this.revisions.slice(-1);
    return { output: 'Running upgrade', status: 0 };
  }
}
