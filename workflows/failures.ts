/** What becomes of a run whose step failed so. */
export type Handling = 'refused' | 'parked' | 'voided' | 'retried';

/**
 * Every failure type that the runbook names. A type is what code branches on and what an operator searches for;
 * the message beside it says what was seen, what was expected and what to do.
 *
 * `refused`: before the first write the run ends at once; nothing was changed. After it, the step is parked.
 * `parked`: no retry mends it, and people can: it is parked in every phase, preflight too.
 * `voided`: what was approved no longer holds; the run surveys again and asks again, showing the difference.
 * `retried`: tried again by the retry policy of the step's class of work, then parked.
 */
export const failures = {
  InputHoldsSecret: { handling: 'refused', meaning: 'the input holds what looks like a credential; rotate it' },
  InputInvalid: { handling: 'refused', meaning: 'the input is not {app, requestedBy, mode?}' },
  WorkflowIdMismatch: { handling: 'refused', meaning: 'the workflow id is not cutover-<app>' },
  WorkflowOptionsRefused: {
    handling: 'refused',
    meaning: 'a timeout, retry policy or cron schedule was set on the run',
  },
  ProcedureOpen: {
    handling: 'refused',
    meaning: 'a scheduled rotation found another run of the target open, and was not started',
  },
  CarriedStateRefused: { handling: 'refused', meaning: 'state was handed to a run that no earlier run continued' },
  UnknownApp: { handling: 'refused', meaning: 'the worker has no target file for the app' },
  TargetFileInvalid: { handling: 'refused', meaning: 'the target file has mistakes; all of them are listed' },
  TargetChanged: {
    handling: 'refused',
    meaning: 'the target file, or the grant matrix, is not the one that was approved',
  },
  DatabaseUrlEmpty: { handling: 'refused', meaning: 'the database variable is unset or empty' },
  DatabaseUrlSqlite: { handling: 'refused', meaning: 'the database variable points to SQLite' },
  DatabaseUrlForeign: {
    handling: 'refused',
    meaning: 'the database variable is not the value that its attachment provides',
  },
  DatabasePlanTooSmall: { handling: 'refused', meaning: 'the plan of the add-on has no credentials of its own' },
  DatabasePlanUnsupported: {
    handling: 'refused',
    meaning: 'the plan is managed by other commands than the runbook knows',
  },
  DatabaseUnreachable: { handling: 'retried', meaning: 'no connection to PostgreSQL could be made' },
  DatabaseNotEncrypted: { handling: 'refused', meaning: 'the connection to PostgreSQL is not encrypted' },
  DatabaseReadOnly: { handling: 'refused', meaning: 'the database is a follower, or takes no writes' },
  AppUnsupported: { handling: 'refused', meaning: 'the platform generation of the app is not known to the runbook' },
  AppInMaintenance: { handling: 'refused', meaning: 'the app is in maintenance mode already' },
  DatabaseRefused: {
    handling: 'refused',
    meaning: 'PostgreSQL refused a statement for a reason that a retry does not mend',
  },
  DatabaseBusy: { handling: 'retried', meaning: 'a lock, a connection limit or a restart stood in the way' },
  PlatformRefused: { handling: 'refused', meaning: 'a service answered 4xx: the request will not succeed as it is' },
  PlatformTokenRejected: { handling: 'refused', meaning: 'a service does not accept the token' },
  PlatformTokenExpiresSoon: { handling: 'refused', meaning: 'the token would expire while the run waits for people' },
  PlatformUnavailable: { handling: 'retried', meaning: 'a service did not answer, or answered 5xx' },
  PlatformRateLimited: { handling: 'retried', meaning: 'a service asked to slow down (429)' },
  PlatformAnswerUnexpected: { handling: 'refused', meaning: 'a service answered in a shape that is not known' },
  MigrationHeadsUnclear: {
    handling: 'refused',
    meaning: 'the slug has no head or several, or the database is at a revision it does not know',
  },
  MigrationFailed: {
    handling: 'refused',
    meaning: 'the upgrade command ended with an error; the database says at which revision',
  },
  MigrationUnderway: { handling: 'retried', meaning: 'another upgrade of this database is running' },
  OutcomeUnknown: {
    handling: 'retried',
    meaning: 'the answer was lost after the request was sent; the next attempt settles it by looking',
  },
  Superseded: {
    handling: 'retried',
    meaning: 'the run has ended, or another attempt has taken the step over: this one may not write',
  },
  SchemaDiffers: {
    handling: 'refused',
    meaning: 'tables, columns, time stamps or cascades are not as the target says',
  },
  DynosNotUp: { handling: 'refused', meaning: 'there is no web dyno' },
  DynosCrashed: { handling: 'refused', meaning: 'dynos crash again and again after the restart' },
  ReleaseFailed: {
    handling: 'parked',
    meaning: 'a config change made a release that failed; the old release serves on',
  },
  SmokeFailed: { handling: 'refused', meaning: 'the smoke suite ran and did not conclude with success' },
  SmokeOverdue: {
    handling: 'refused',
    meaning: 'the smoke suite was still queued, waiting or running at its deadline',
  },
  SmokeWrongCommit: { handling: 'refused', meaning: 'the smoke suite ran for another commit than the one deployed' },
  PullRequestRefused: {
    handling: 'parked',
    meaning: 'the pull request was closed unmerged, or merged to another base',
  },
  DeployOverdue: {
    handling: 'parked',
    meaning: 'the pull request is merged, and the deployed slug still lacks its revision',
  },
  GrantMatrixInvalid: {
    handling: 'refused',
    meaning: 'the grant matrix holds something other than GRANT, REVOKE and ALTER DEFAULT PRIVILEGES',
  },
  GrantsDiffer: {
    handling: 'refused',
    meaning: 'the role may do something forbidden, or may not do something it needs',
  },
  BindingForeign: {
    handling: 'refused',
    meaning: "the role's variable or attachment exists and belongs to something else",
  },
  SessionsDiffer: { handling: 'refused', meaning: 'the app is not connected as the role, or still as the owner' },
  FactsChanged: {
    handling: 'voided',
    meaning: 'the target is no longer what was approved: it is surveyed and asked again',
  },
  TargetDrifted: {
    handling: 'voided',
    meaning: 'somebody else changed what the plan rests on, between the approval and a write',
  },
  NotAuthorised: { handling: 'refused', meaning: 'who asks for a way back may not, by the target file' },
  Sealed: { handling: 'refused', meaning: 'the database is launched: it is sealed, and no way leads back' },
  CustomerRowsExist: {
    handling: 'refused',
    meaning: 'customers have rows in PostgreSQL, which going back to SQLite would lose',
  },
  SqliteNotProven: { handling: 'parked', meaning: 'the app could not read and write on SQLite behind the fence' },
  NotServing: { handling: 'parked', meaning: 'the app did not answer as the target says it must' },
  CredentialHeldElsewhere: {
    handling: 'parked',
    meaning: 'the credential is attached to an app still, so the platform does not destroy it',
  },
  CredentialNotActive: {
    handling: 'refused',
    meaning: 'the credential that is to be rotated does not exist, or is being made, rotated or destroyed',
  },
  RotationOverdue: { handling: 'parked', meaning: 'the platform has not finished the rotation in its time' },
  OldPasswordAccepted: {
    handling: 'parked',
    meaning: 'the password from before a rotation still opens a session',
  },
  RowsUncounted: {
    handling: 'refused',
    meaning: 'customer rows could not be counted, and people did not allow the way back without',
  },
  Rejected: { handling: 'parked', meaning: 'a person has said no at a gate' },
  MessageRefused: { handling: 'refused', meaning: 'an update cannot count as things stand; nothing was recorded' },
  BackupNotProven: {
    handling: 'voided',
    meaning: 'the backup that was named is not completed, too old, or of another database',
  },
  NotInPlace: { handling: 'retried', meaning: 'the act was accepted but its effect could not be seen yet' },
  SecretLeak: { handling: 'refused', meaning: 'a step was about to report a secret; the result was withheld' },
  CertificateNotWritten: {
    handling: 'retried',
    meaning: 'the certificate of a soak could not be signed or written to its folder',
  },
  CertificateMissing: {
    handling: 'refused',
    meaning: 'the target asks for the certificate of a staging soak, and there is none that can be read',
  },
  CertificateInvalid: {
    handling: 'refused',
    meaning: 'the certificate is not signed by the key that the target names, or is not one of this runbook',
  },
  CertificateTooOld: { handling: 'refused', meaning: 'the soak ended longer ago than the target allows' },
  CertificateDiffers: {
    handling: 'refused',
    meaning: 'what was soaked is not what is about to run: another app, commit, head or grant matrix',
  },
  RecordNotWritten: { handling: 'retried', meaning: 'the audit record could not be read from Temporal or written' },
  NoticeNotSent: { handling: 'retried', meaning: 'the webhook that tells people did not take a message' },
  InvalidTransition: { handling: 'refused', meaning: 'a mistake in the runbook itself' },
} as const satisfies Record<string, { handling: Handling; meaning: string }>;

export type FailureType = keyof typeof failures;

/** True for the types of the table above; anything else came from outside the project. */
export function isFailureType(type: string | null | undefined): type is FailureType {
  return type != null && Object.hasOwn(failures, type);
}
