import { type ErrorCode, isAquiferError } from '@aquifer/contracts';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** Codes of the service itself, beside those of the library. */
export type ServiceErrorCode =
  | 'forbidden'
  | 'idempotency-conflict'
  | 'invalid-request'
  | 'not-found'
  | 'rate-limited'
  | 'session-not-found'
  | 'unauthenticated'
  | 'unsupported-media-type';

const serviceStatuses: Readonly<Record<ServiceErrorCode, ContentfulStatusCode>> = {
  forbidden: 403,
  'idempotency-conflict': 409,
  'invalid-request': 400,
  'not-found': 404,
  'rate-limited': 429,
  'session-not-found': 404,
  unauthenticated: 401,
  'unsupported-media-type': 415,
};

/** The HTTP status of each code of the library. What the caller cannot mend is 5xx. */
const statuses: Readonly<Record<ErrorCode, ContentfulStatusCode>> = {
  aborted: 408,
  'credentials-refused': 502,
  'disk-full': 507,
  'document-not-found': 404,
  'embedder-mismatch': 409,
  'encryption-key-refused': 500,
  'encryption-unavailable': 500,
  'index-corrupt': 500,
  'index-locked': 409,
  'index-not-found': 404,
  'index-outdated': 500,
  'index-read-only': 409,
  'index-too-new': 500,
  'index-unavailable': 503,
  internal: 500,
  'invalid-export': 400,
  'invalid-document': 400,
  'invalid-filter': 400,
  'invalid-options': 400,
  'invalid-query': 400,
  'invalid-vector': 400,
  'job-not-found': 404,
  'knowledge-base-not-found': 404,
  'missing-dependency': 500,
  'model-access-denied': 502,
  'model-failed': 502,
  'model-filtered': 422,
  'model-not-found': 400,
  'model-rejected': 502,
  'model-throttled': 503,
  'model-unavailable': 503,
  'password-required': 400,
  'source-changed': 409,
  'source-not-found': 404,
  'source-unreadable': 409,
  'too-large': 413,
  'too-many-deletions': 409,
  'too-many-open-files': 503,
  'unsupported-format': 415,
};

/** What a request is answered with instead of a result. */
export class Problem extends Error {
  readonly code: ServiceErrorCode;
  /** Seconds, for the header `Retry-After`. */
  readonly retryAfterSeconds?: number;

  constructor(code: ServiceErrorCode, message: string, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    if (retryAfterSeconds !== undefined) this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface ProblemAnswer {
  readonly status: ContentfulStatusCode;
  readonly retryAfterSeconds?: number;
  readonly body: { readonly error: { readonly code: string; readonly message: string; readonly requestId: string } };
}

/**
 * Anything thrown, as a caller may see it: `{"error": {"code", "message", "requestId"}}`. What says nothing about itself is an internal error,
 * whose message stays inside.
 */
export function problemAnswer(thrown: unknown, requestId: string): ProblemAnswer {
  if (thrown instanceof Problem) {
    const { code, message, retryAfterSeconds } = thrown;
    return { status: serviceStatuses[code], retryAfterSeconds, body: { error: { code, message, requestId } } };
  }
  if (isAquiferError(thrown) && thrown.code !== 'internal') {
    const { code, message, retryAfterMs, retryable } = thrown;
    const retryAfterSeconds = retryable ? Math.ceil((retryAfterMs ?? 1_000) / 1_000) : undefined;
    return { status: statuses[code], retryAfterSeconds, body: { error: { code, message, requestId } } };
  }
  const message = 'Something went wrong inside of the service. Its log names this request.';
  return { status: 500, body: { error: { code: 'internal', message, requestId } } };
}
