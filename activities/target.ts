import { z } from 'zod';
import type { GrantMatrix } from './matrix.ts';
import type { SchemaShape } from './schema-shape.ts';
import { appName } from '../workflows/input.ts';
import { approvalsBlock, duration } from '../workflows/policy.ts';
import { changeWindow, freeze } from './change-window.ts';
import { few, httpCheck, type HttpCheck } from './http-check.ts';
import { soakBlock, stagingCertificate, type StagingCertificate } from './soak-target.ts';

const identifier = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'a plain PostgreSQL name: lower-case letters, digits, underscores');
const variable = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'a config var: capital letters, digits, underscores');
const repository = z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'owner/name');
const command = z
  .string()
  .min(1)
  .regex(/^[^\n\r]*$/, 'one line');
/** The suite is a GitHub Actions workflow with the inputs `marker` and `expect_user`; its run's title holds the marker. */
const githubSmoke = z
  .object({
    kind: z.literal('github'),
    repository,
    workflow: z.string().min(1),
    ref: z.string().min(1),
    /** Minutes in which it must conclude, the queue for a runner included. */
    withinMinutes: z.number().positive().max(55).default(45),
  })
  .strict();
/** The worker itself asks the app, path by path. */
const httpSmoke = z
  .object({
    kind: z.literal('http'),
    checks: z.array(httpCheck).min(1).max(few),
    /** Asked too once the app must be connected as the role. */
    asRole: z.array(httpCheck).max(few).default([]),
    /** Seconds in which all of them must be right. */
    patienceSeconds: z.number().positive().max(600).default(30),
  })
  .strict();
/** A command on the worker's host, with SMOKE_BASE_URL and SMOKE_EXPECT_USER in its environment. */
const commandSmoke = z
  .object({
    kind: z.literal('command'),
    command: z.array(z.string().min(1)).min(1),
    withinMinutes: z.number().positive().max(55).default(15),
  })
  .strict();
export type GithubSmoke = z.infer<typeof githubSmoke>;
export type HttpSmoke = z.infer<typeof httpSmoke>;
export type { HttpCheck, StagingCertificate };
export type CommandSmoke = z.infer<typeof commandSmoke>;

/** What the kill switch needs: where the app goes back to, and how it is seen to work there. */
const rollback = z
  .object({
    /** What the database variable holds on SQLite. */
    sqliteUrl: z.string().regex(/^sqlite(\+\w+)?:\/\//, 'a SQLite URL'),
    /** Run in a one-off dyno: reads and writes on SQLite, and ends with 0 when that worked. */
    verify: command,
    /** Asked of the app once the fence is lifted. */
    checks: z.array(httpCheck).min(1).max(few),
    /** Seconds in which all of them must be right. */
    patienceSeconds: z.number().positive().max(480).default(120),
    /** Tables that hold no customer's data: rows in them do not stop the kill switch. */
    referenceTables: z.array(identifier).max(few).default([]),
    /** What the last rehearsal measured: seconds from the kill switch until the app served again, and on which day. */
    rehearsed: z
      .object({ seconds: z.number().positive(), on: z.string().date('a day, as in 2026-11-26') })
      .strict()
      .optional(),
    /** Release commands, as the Procfile has them, that succeed on SQLite too. */
    releaseCommandsSafeOnSqlite: z.array(command).max(few).default([]),
  })
  .strict();
/** What is left to do after the launch, as GitHub issues. */
const followUps = z
  .object({
    repository,
    /** Gets the evidence as a comment. */
    trackingIssue: z.number().int().positive().optional(),
    items: z
      .array(
        z
          .object({
            title: command.pipe(z.string().max(200)),
            body: z.string().min(1).max(20_000),
            labels: z.array(command).max(20).default([]),
          })
          .strict(),
      )
      .min(1)
      .max(50),
  })
  .strict();
export type Rollback = z.infer<typeof rollback>;
export type FollowUps = z.infer<typeof followUps>;

/**
 * A target file: what the worker may do to one app, and every name of that app's that the runbook needs. It is the
 * worker's own; a run names the app and nothing else. Strict, so that a misspelt field is a mistake and not a default.
 */
export const targetSchema = z
  .object({
    app: appName,
    database: z
      .object({
        /** The attachment that owns the app's database variable, without `_URL`. */
        attachment: variable,
        /** The add-on that must be behind it; where it is left out, any on a plan that will do. */
        addon: z.string().min(1).optional(),
        /** True allows the runbook to promote that add-on, once `go` is approved, where the variable points elsewhere. */
        promote: z.boolean().default(false),
      })
      .strict(),
    migrations: z
      .object({
        /** Run at the root of the slug. */
        upgrade: command,
        /** Folder of the Alembic versions in the slug: a revision file there may name the role. */
        versions: z.string().regex(/^[\w./-]+$/, 'a path in the slug'),
        /** Prints the chain of revisions as `alembic history` does; needs no database. */
        history: command,
        versionTable: identifier,
        /** Where the app's tables are. */
        schema: identifier,
        /** Where the version table is, if elsewhere (Alembic's `version_table_schema`). */
        versionTableSchema: identifier.optional(),
        /** Seconds that a statement of the migration waits for a lock before it gives up. */
        lockTimeoutSeconds: z.number().positive().max(600).default(5),
      })
      .strict(),
    schema: z
      .object({
        /** Every table that must exist after the upgrade; the version table is expected beside them. */
        tables: z.array(identifier).min(1).max(few).optional(),
        /** A file that a rehearsal of the slug wrote (`npm start -- --fingerprint`): every table, column and key. */
        fingerprint: z.string().min(1).optional(),
        /** Column types of the tables that were designed to the letter, as PostgreSQL's `format_type` writes them. */
        columns: z.record(identifier, z.record(identifier, z.string())).default({}),
        /** Deleting a row here must reach every row that belongs to it. */
        cascadesFrom: identifier,
      })
      .strict(),
    role: z
      .object({
        credential: identifier,
        /** The attachment, without `_URL`, under which the app finds the role's URL. */
        attachment: variable,
        /** `attachment`: the platform owns and rotates the variable. `config-var`: the runbook copies the URL. */
        bindBy: z.enum(['attachment', 'config-var']).default('attachment'),
        /** The grant matrix: an SQL file beside the target file, or one in a repository at the deployed commit. */
        grants: z.union([z.string().min(1), z.object({ repository, path: z.string().min(1) }).strict()]),
        /** Statements that the role must be able to do; each is tried and rolled back. */
        may: z.array(command).min(1).max(few),
        /** Statements that the role must be refused with insufficient privilege; each is tried and rolled back. */
        mayNot: z.array(command).min(1).max(few),
      })
      .strict(),
    restart: z
      .object({
        /** Seconds after which, with preboot, no old web dyno serves any more: about three minutes [docs], and a margin. */
        prebootSeconds: z.number().min(0).max(480).default(240),
      })
      .strict()
      .default({}),
    flag: z.object({ name: variable, value: z.string().min(1) }).strict(),
    sessions: z
      .object({
        /** Seconds in which the sessions of dynos that were just stopped must be gone. */
        lingerSeconds: z.number().min(0).max(90).default(30),
      })
      .strict()
      .default({}),
    smoke: z.discriminatedUnion('kind', [githubSmoke, httpSmoke, commandSmoke]),
    pullRequest: z
      .object({
        repository,
        number: z.number().int().positive(),
        base: z.string().min(1),
        /** Folder of the Alembic versions in that repository: a file here is a revision. */
        versions: z.string().min(1),
        /** Seconds between two looks at the pull request and the deployed slug. */
        pollSeconds: z.number().min(1).max(3600).default(15),
        /** Minutes after the merge in which the deployed slug must have its revision; then the run is parked. */
        deployWithinMinutes: z.number().positive().max(1440).default(60),
      })
      .strict()
      .optional(),
    approvals: approvalsBlock,
    /** When writes may begin; at any time where none is named. Undo and kill switch never wait. */
    windows: z.array(changeWindow).max(50).default([]),
    /** When they may not, whatever the windows say. */
    freezes: z.array(freeze).max(50).default([]),
    /** Config vars, by name, whose values others may change at any time without a new approval. */
    unwatchedConfigVars: z.array(variable).max(few).default([]),
    /** Without it there is no kill switch. */
    rollback: rollback.optional(),
    followUps: followUps.optional(),
    rotation: z
      .object({
        /** True where the gate of a rotation need not be asked, as long as its plan has no hazard: for one on a schedule. */
        approvedBeforehand: z.boolean().default(false),
        /** Minutes in which the platform must be done: it leaves connections of a named credential half an hour [source]. */
        withinMinutes: z.number().positive().max(1200).default(90),
      })
      .strict()
      .default({}),
    /** What a sample of the watch asks the app besides whether it answers. */
    watch: z
      .object({
        /** Between two samples. */
        every: duration.default('15m'),
        checks: z.array(httpCheck).max(few).default([]),
      })
      .strict()
      .default({}),
    soak: soakBlock.default({}),
    /** What must have come before a cutover of this app; nothing, unless said. */
    stagingCertificate: stagingCertificate.default({ kind: 'off' }),
    /** Config vars whose values are no secrets: others of 12 characters and more must not stand in any evidence. */
    plainConfigVars: z.array(variable).max(few).default([]),
    /** Hours for which the worker's Heroku token must still be good when a run starts. */
    tokenValidForHours: z.number().min(0).max(8760).default(12),
    /** Events after which a run continues as new at its next quiet point. */
    historyEventLimit: z.number().int().min(25).max(40_000).default(10_000),
  })
  .strict()
  .superRefine((target, context) => {
    if (target.role.attachment === target.database.attachment) {
      context.addIssue({
        code: 'custom',
        path: ['role', 'attachment'],
        message: 'must differ from database.attachment',
      });
    }
    const { tables, fingerprint, columns, cascadesFrom } = target.schema;
    if (tables === undefined) {
      if (fingerprint !== undefined) return;
      context.addIssue({ code: 'custom', path: ['schema'], message: 'needs tables, fingerprint or both' });
      return;
    }
    for (const table of Object.keys(columns).filter((name) => !tables.includes(name))) {
      context.addIssue({ code: 'custom', path: ['schema', 'columns', table], message: 'is not among schema.tables' });
    }
    if (!tables.includes(cascadesFrom)) {
      context.addIssue({ code: 'custom', path: ['schema', 'cascadesFrom'], message: 'is not among schema.tables' });
    }
    const { referenceTables = [] } = target.rollback ?? {};
    for (const [index, name] of referenceTables.entries()) {
      if (tables.includes(name)) continue;
      const path = ['rollback', 'referenceTables', index];
      context.addIssue({ code: 'custom', path, message: `${name} is not among schema.tables` });
    }
  });

export type TargetFile = z.infer<typeof targetSchema>;

/** A target file with what it refers to. */
export interface Target extends TargetFile {
  /** SHA-256 over the file and the grant matrix, in hex. */
  readonly digest: string;
  /** The grant matrix, or null where it is to be read from a repository at the deployed commit. */
  readonly matrix: GrantMatrix | null;
  /** The public key that the certificate of the soak must be signed by, where the target requires one. */
  readonly certificateKey: string | null;
  /** The schema that a rehearsal wrote down, where the target names one. */
  readonly expectedSchema: SchemaShape | null;
}

/** Where targets come from: files, in the worker. */
export interface TargetStore {
  /**
   * @throws ApplicationFailure `UnknownApp`, `TargetFileInvalid` (naming every mistake) or `GrantMatrixInvalid`
   */
  read(app: string): Promise<Target>;
}
