/** What keeps a record from being written or checked: told in a sentence, without a stack trace. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
}
