/** What the service answered instead of a result, or why it could not be reached. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /** One of docs/errors.md and docs/http-api.md, or `unreachable`. */
  readonly code: string;
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  readonly requestId?: string;
  /** Seconds after which it is worth another try. */
  readonly retryAfterSeconds?: number;

  constructor(
    code: string,
    message: string,
    details: { status?: number; requestId?: string; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status ?? 0;
    if (details.requestId !== undefined) this.requestId = details.requestId;
    if (details.retryAfterSeconds !== undefined) this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** The error that an answer of the service carries; of a proxy's answer, what can be said about it. */
export async function errorOf(response: Response): Promise<ServiceError> {
  const { status, headers } = response;
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(retryAfter) ? retryAfter : undefined;
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string; requestId: string } };
    return new ServiceError(error.code, error.message, { status, requestId: error.requestId, retryAfterSeconds });
  } catch {
    const message = `The answer has status ${status} and is not of an Aquifer service.`;
    return new ServiceError('unreachable', message, { status, retryAfterSeconds });
  }
}
