/** Every code that an {@link AquiferError} can carry. Stable: programs may switch on them. Listed in docs/errors.md. */
export type ErrorCode =
  | 'aborted'
  | 'credentials-refused'
  | 'disk-full'
  | 'document-not-found'
  | 'embedder-mismatch'
  | 'encryption-key-refused'
  | 'encryption-unavailable'
  | 'index-corrupt'
  | 'index-locked'
  | 'index-not-found'
  | 'index-outdated'
  | 'index-read-only'
  | 'index-too-new'
  | 'index-unavailable'
  | 'internal'
  | 'invalid-document'
  | 'invalid-export'
  | 'invalid-filter'
  | 'invalid-options'
  | 'invalid-query'
  | 'invalid-vector'
  | 'job-not-found'
  | 'knowledge-base-not-found'
  | 'missing-dependency'
  | 'model-access-denied'
  | 'model-failed'
  | 'model-filtered'
  | 'model-not-found'
  | 'model-rejected'
  | 'model-throttled'
  | 'model-unavailable'
  | 'password-required'
  | 'source-changed'
  | 'source-not-found'
  | 'source-unreadable'
  | 'too-large'
  | 'too-many-deletions'
  | 'too-many-open-files'
  | 'unsupported-format';

export interface AquiferErrorOptions {
  /** Whether the same call may succeed later without anybody changing anything. Default false. */
  readonly retryable?: boolean;
  /** How long a provider asks to wait before the next try. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

const marker = Symbol.for('aquifer.error');

/**
 * The one error class of the project. The message says what happened, to which file, model or line, and what to do.
 *
 * Recognise it with {@link isAquiferError}, not with `instanceof`: two copies of the package may be installed.
 */
export class AquiferError extends Error {
  readonly [marker] = true;
  override readonly name: string = 'AquiferError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;

  constructor(code: ErrorCode, message: string, options: AquiferErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether `error` is an {@link AquiferError} of any copy of this package, optionally with the given code. */
export function isAquiferError(error: unknown, code?: ErrorCode): error is AquiferError {
  return (
    typeof error === 'object' &&
    error !== null &&
    (error as Record<symbol, unknown>)[marker] === true &&
    (code === undefined || (error as AquiferError).code === code)
  );
}

/** What {@link describeError} adds. */
export interface ErrorDescription extends Pick<AquiferErrorOptions, 'retryable' | 'retryAfterMs'> {
  readonly code: ErrorCode;
  /** What happened and what to do, for people. Default: the error's own message. */
  readonly message?: string;
}

/**
 * Makes an error of a library an {@link AquiferError} in all but its class, and gives it back: code and retryable are added and the
 * message replaced, while its class, name and other properties (`$metadata` of an AWS exception, with status and request id) stay for those who
 * look for them. What is not an error object becomes an {@link AquiferError}.
 *
 * @example
 * throw describeError(exception, { code: 'model-throttled', retryable: true });
 */
export function describeError(error: unknown, description: ErrorDescription): AquiferError {
  const { code, retryable = false, retryAfterMs, message } = description;
  if (!(error instanceof Error) || !Object.isExtensible(error)) {
    return new AquiferError(code, message ?? String(error), { retryable, retryAfterMs, cause: error });
  }
  const added = { [marker]: true, code, retryable, ...(retryAfterMs && { retryAfterMs }), ...(message && { message }) };
  for (const key of Reflect.ownKeys(added)) {
    const value = added[key as keyof typeof added];
    Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: key === 'code' });
  }
  return error as AquiferError;
}

/** An {@link AquiferError} as it crosses a thread or a process. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly stack?: string;
}

/** Any thrown value as plain data. What is not an {@link AquiferError} becomes one with the code `internal`. */
export function toPlainError(error: unknown): PlainError {
  if (isAquiferError(error)) {
    return { code: error.code, message: error.message, retryable: error.retryable, stack: error.stack };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { code: 'internal', message, retryable: false, stack };
}

/** The inverse of {@link toPlainError}. */
export function fromPlainError(plain: PlainError): AquiferError {
  const error = new AquiferError(plain.code, plain.message, { retryable: plain.retryable });
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}

/** Throws the error `aborted` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AquiferError('aborted', 'The operation was cancelled.', { cause: signal.reason });
}
