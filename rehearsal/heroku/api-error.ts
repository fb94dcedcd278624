/** An answer other than success. Always JSON `{ id, message }` [seen]. */
export class ApiError extends Error {
  readonly status: number;
  readonly id: string;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(status: number, id: string, message: string, extra: Record<string, unknown> = {}) {
    super(message);
    this.status = status;
    this.id = id;
    this.extra = extra;
  }
}

/** The CLI branches on `id: "not_found"` and on `resource` [seen]. */
export const notFound = (resource: string, message: string): ApiError =>
  new ApiError(404, 'not_found', message, { resource });

/** Understood, but against a rule. 422 where nobody saw the real status [assumed]. */
export const refused = (message: string): ApiError => new ApiError(422, 'invalid_params', message);

export const badRequest = (message: string): ApiError => new ApiError(400, 'bad_request', message);
