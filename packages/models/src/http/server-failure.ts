import { AquiferError, type AquiferErrorOptions, type ErrorCode } from '@aquifer/contracts';

/** A response that is no success, as far as every server of this kind agrees on it. */
export interface ServerFailure {
  readonly status: number;
  /** What the server says, on one line and not too long. */
  readonly message: string;
  /** What the server calls it, where it does: `insufficient_quota`. */
  readonly reason?: string;
  readonly retryAfterMs?: number;
  readonly requestId?: string;
}

/** Code and advice for a failure, where the adapter knows better than the status says. */
export interface FailureAdvice {
  readonly code: ErrorCode;
  readonly advice?: string;
  readonly retryable?: boolean;
}

const maxMessageLength = 500;

/** Reads what a failed response says: `{"error": {"message", "code"}}`, `{"error": "…"}`, `{"message": "…"}` or anything else. */
export function readFailure(response: Response, body: string): ServerFailure {
  const retryAfterMs = readRetryAfter(response.headers);
  const requestId = response.headers.get('x-request-id') ?? response.headers.get('request-id') ?? undefined;
  let message = body;
  let reason: string | undefined;
  try {
    const parsed = JSON.parse(body) as Record<string, unknown> | null;
    const error = (parsed?.error ?? parsed) as Record<string, unknown> | string;
    if (typeof error === 'string') message = error;
    else if (typeof error?.message === 'string') message = error.message;
    const named = typeof error === 'object' && error !== null ? (error.code ?? error.type) : undefined;
    if (typeof named === 'string') reason = named;
  } catch {
    // A gateway's page in HTML, or nothing at all: its words are still the best there is.
    message = body.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ');
  }
  return {
    status: response.status,
    message: message.replace(/\s+/g, ' ').trim().slice(0, maxMessageLength),
    ...(reason !== undefined && { reason }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(requestId !== undefined && { requestId }),
  };
}

/**
 * The failure as an error. Temporary ones (408, 425, 429, 5xx) are retryable.
 *
 * @param server What the message calls the server: `Ollama at http://127.0.0.1:11434`.
 */
export function failureError(server: string, failure: ServerFailure, known?: FailureAdvice): AquiferError {
  const { status, message, requestId, retryAfterMs } = failure;
  const { code, advice, retryable = isTemporary(status) } = known ?? byStatus(status);
  const said = message === '' ? 'says no more' : `says: ${message.replace(/[.\s]+$/, '')}`;
  const options: AquiferErrorOptions = { retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  const request = requestId === undefined ? '' : `, request ${requestId}`;
  return new AquiferError(
    code,
    `${server} ${said} (HTTP ${status}${request}).${advice === undefined ? '' : ` ${advice}`}`,
    options,
  );
}

function byStatus(status: number): FailureAdvice {
  if (status === 401) return { code: 'credentials-refused', advice: 'Check the API key.' };
  if (status === 403)
    return { code: 'model-access-denied', advice: 'Ask for access to the model, or use another key.' };
  if (status === 404) return { code: 'model-not-found', advice: 'Check the name of the model and the address.' };
  if (status === 429) return { code: 'model-throttled', advice: 'Send fewer requests, or ask for a higher quota.' };
  if (isTemporary(status)) return { code: 'model-unavailable', advice: 'Try again later.' };
  return { code: 'model-rejected' };
}

function isTemporary(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** RFC 9110, section 10.2.3: seconds or a date. `retry-after-ms` is what OpenAI adds. */
export function readRetryAfter(headers: Headers, now: number = Date.now()): number | undefined {
  const milliseconds = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return milliseconds;
  const value = headers.get('retry-after')?.trim();
  if (value === undefined || value === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : undefined;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
