import { type ErrorCode, isAquiferError } from '@aquifer/contracts';

/** Every error name that the server half sends, with its HTTP status. Source: botocore's service model of bedrock-runtime, and IAM's common errors. */
const statuses = {
  AccessDeniedException: 403,
  ConflictException: 409,
  ExpiredTokenException: 403,
  IncompleteSignatureException: 403,
  InternalServerException: 500,
  InvalidSignatureException: 403,
  MissingAuthenticationTokenException: 403,
  ModelErrorException: 424,
  ModelNotReadyException: 429,
  ModelStreamErrorException: 424,
  ModelTimeoutException: 408,
  ResourceNotFoundException: 404,
  ServiceQuotaExceededException: 400,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
  UnknownOperationException: 404,
  UnrecognizedClientException: 403,
  ValidationException: 400,
} as const;

export type WireErrorName = keyof typeof statuses;

export const wireErrorNames = Object.keys(statuses) as readonly WireErrorName[];

/** The names that the event streams model; any other ends a stream as an unmodeled error. */
const streamMembers: Partial<Record<WireErrorName, string>> = {
  InternalServerException: 'internalServerException',
  ModelStreamErrorException: 'modelStreamErrorException',
  ModelTimeoutException: 'modelTimeoutException',
  ServiceUnavailableException: 'serviceUnavailableException',
  ThrottlingException: 'throttlingException',
  ValidationException: 'validationException',
};

/** An error as Bedrock sends it. */
export interface WireError {
  readonly name: WireErrorName;
  readonly message: string;
  /** What the error's shape has besides its message, such as `originalStatusCode`. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** For the `Retry-After` header, in whole seconds. */
  readonly retryAfterSeconds?: number;
}

/** Thrown inside of the server half, and turned into a response at its edge. */
export class WireException extends Error {
  readonly error: WireError;
  constructor(error: WireError) {
    super(error.message);
    this.name = error.name;
    this.error = error;
  }
}

/** @returns the exception for a request that is wrong, to be thrown. */
export function invalidRequest(message: string): WireException {
  return new WireException({ name: 'ValidationException', message });
}

export function statusOf(name: WireErrorName): number {
  return statuses[name];
}

/** The member of the event stream's union for this error, or undefined where the stream has none. */
export function streamMemberOf(name: WireErrorName): string | undefined {
  return streamMembers[name];
}

const namesOfCodes: Partial<Record<ErrorCode, WireErrorName>> = {
  'credentials-refused': 'AccessDeniedException',
  'index-locked': 'ConflictException',
  'index-not-found': 'ResourceNotFoundException',
  'index-unavailable': 'ServiceUnavailableException',
  'invalid-document': 'ValidationException',
  'invalid-filter': 'ValidationException',
  'invalid-options': 'ValidationException',
  'invalid-query': 'ValidationException',
  'knowledge-base-not-found': 'ResourceNotFoundException',
  'model-access-denied': 'AccessDeniedException',
  'model-failed': 'ModelErrorException',
  'model-filtered': 'ValidationException',
  'model-not-found': 'ResourceNotFoundException',
  'model-rejected': 'ValidationException',
  'model-throttled': 'ThrottlingException',
  'model-unavailable': 'ServiceUnavailableException',
  'too-large': 'ValidationException',
};

/** Anything thrown, as Bedrock would send it. What says nothing about itself is an internal error, whose message stays inside. */
export function toWireError(thrown: unknown): WireError {
  if (thrown instanceof WireException) return thrown.error;
  if (!isAquiferError(thrown))
    return { name: 'InternalServerException', message: 'The server failed on this request.' };
  const name = namesOfCodes[thrown.code] ?? 'InternalServerException';
  return {
    name,
    message: thrown.message,
    ...(name === 'ModelErrorException' && { details: { originalStatusCode: 500 } }),
    ...(thrown.retryAfterMs !== undefined && { retryAfterSeconds: Math.ceil(thrown.retryAfterMs / 1000) }),
  };
}
