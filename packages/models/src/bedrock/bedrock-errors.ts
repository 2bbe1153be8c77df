import { type AquiferError, describeError, type ErrorDescription, isAquiferError } from '@aquifer/contracts';
import { describeNetworkError } from '../network-errors.js';

/** What a failed request was about. */
export interface BedrockRequestContext {
  readonly modelId: string;
  readonly region?: string;
  /** Where requests go, for messages about the network. */
  readonly endpoint?: string;
}

/**
 * Makes what the AWS SDK threw for a request to Bedrock an {@link AquiferError}, in place: class, name and `$metadata` with status and
 * request id stay. What is one already is given back as it is.
 *
 * | what | code | retryable |
 * |---|---|---|
 * | the signal fired | `aborted` | no |
 * | over a rate, model not ready yet | `model-throttled` | yes, after `Retry-After` |
 * | 5xx, time-outs, network | `model-unavailable` | yes; certificates and protocols no |
 * | no, expired, wrong credentials, clock off | `credentials-refused` | no |
 * | model not enabled, no permission | `model-access-denied` | no |
 * | unknown id, not in this region | `model-not-found` | no |
 * | other 4xx | `model-rejected` | no |
 * | an answer that cannot be read | `model-failed` | no |
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
 */
export function describeBedrockError(error: unknown, context: BedrockRequestContext): AquiferError {
  if (isAquiferError(error)) return error;
  const failure = readFailure(error);
  const retryAfterMs = retryAfter(error);
  const description =
    byName(failure, context) ??
    describeNetworkError(error, context) ??
    byStatus(failure, context) ??
    unknown(failure, context);
  return describeError(error, { ...description, ...(retryAfterMs !== undefined && { retryAfterMs }) });
}

/**
 * Whether Bedrock refused a request because its text is longer than the model takes, in the words of any family, and by how much where it
 * says so.
 */
export function inputTooLong(error: unknown): { readonly tokens?: number; readonly maxTokens?: number } | undefined {
  if (!isAquiferError(error, 'model-rejected')) return undefined;
  const counted =
    /Max input tokens: (?<max>\d+), request input token count: (?<tokens>\d+)/i.exec(error.message) ??
    /prompt is too long: (?<tokens>\d+) tokens > (?<max>\d+)/i.exec(error.message);
  if (counted?.groups) return { tokens: Number(counted.groups.tokens), maxTokens: Number(counted.groups.max) };
  return tooLong.test(error.message) ? {} : undefined;
}

const tooLong =
  /too many (?:input )?tokens(?! per)|(?:input|prompt|text) is too long|expected maxLength: \d+, actual|maximum context length|exceeds? the (?:maximum|model's) (?:number of )?(?:input |context )?(?:tokens|length)/i;

interface Failure {
  readonly name: string;
  readonly status?: number;
  /** The provider's own words. */
  readonly words: string;
  /** Of ModelErrorException: what the model answered to Bedrock. */
  readonly originalStatus?: number;
}

function readFailure(error: unknown): Failure {
  const { name, message, originalMessage, originalStatusCode, $metadata } = Object(error) as Record<string, unknown>;
  const status = (Object($metadata) as { httpStatusCode?: unknown }).httpStatusCode;
  const words = [message, originalMessage].filter((text) => typeof text === 'string' && text !== '');
  return {
    name: typeof name === 'string' ? name : '',
    words: words.length > 0 ? words.join(' ') : String(error),
    ...(typeof status === 'number' && { status }),
    ...(typeof originalStatusCode === 'number' && { originalStatus: originalStatusCode }),
  };
}

const throttled = /^(?:Throttl\w*|TooManyRequests\w*|RequestLimitExceeded|SlowDown|ModelNotReadyException)$/;
const unavailable =
  /^(?:InternalServer\w*|InternalFailure|ServiceUnavailable\w*|BadGateway\w*|DependencyFailed\w*|ModelTimeout\w*)$/;
const refused =
  /^(?:CredentialsProviderError|TokenProviderError|ProviderError|ExpiredToken\w*|RequestExpired\w*|UnrecognizedClient\w*|InvalidSignature\w*|SignatureDoesNotMatch|InvalidClientTokenId\w*|InvalidAccessKeyId|MissingAuthenticationToken\w*|IncompleteSignature\w*|RequestTimeTooSkewed|AuthFailure|UnauthorizedException)$/;
const isClockOff = /signature (?:expired|not yet current)|RequestTimeTooSkewed|is now (?:earlier|later) than/i;
const credentialPlaces =
  'AWS looks for credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_BEARER_TOKEN_BEDROCK), in the profile of AWS_PROFILE in ~/.aws, ' +
  'in SSO (aws sso login), and in the role of the container or instance.';

function byName(failure: Failure, context: BedrockRequestContext): ErrorDescription | undefined {
  const { name, words } = failure;
  const model = modelName(context);
  if (name === 'AbortError') return { code: 'aborted', message: 'The operation was cancelled.' };
  if (throttled.test(name)) {
    return {
      code: 'model-throttled',
      retryable: true,
      message: `Bedrock takes no more requests to ${model} now: ${words}`,
    };
  }
  if (unavailable.test(name)) return outage(failure, context);
  if (name === 'ModelErrorException' || name === 'ModelStreamErrorException') return modelError(failure, context);
  if (refused.test(name)) return refusal(failure);
  if (name === 'AccessDeniedException' || name === 'AccessDenied') {
    if (/api key|security token|authentication failed|bearer/i.test(words)) return refusal(failure);
    return denial(words, context);
  }
  if (name === 'ResourceNotFoundException') return notFound(words, context);
  if (name === 'ServiceQuotaExceededException') {
    return {
      code: 'model-throttled',
      message: `The account's quota for ${model} is used up: ${words} Ask for a higher one in Service Quotas › Amazon Bedrock.`,
    };
  }
  if (name === 'ValidationException') return invalidRequest(words, context);
  if (/^Region (?:is missing|not accepted)/.test(words)) {
    return {
      code: 'invalid-options',
      message: `No usable AWS region for ${context.modelId}: ${words}. Set AWS_REGION, "region" of the profile in ~/.aws/config, or the option region.`,
    };
  }
  return undefined;
}

function byStatus(failure: Failure, context: BedrockRequestContext): ErrorDescription | undefined {
  const { status, name, words } = failure;
  if (status === undefined) return undefined;
  if (status === 429)
    return {
      code: 'model-throttled',
      retryable: true,
      message: `Too many requests to ${modelName(context)}: ${words}`,
    };
  if (status >= 500 || status === 408) return outage(failure, context);
  if (name === 'SyntaxError') return undefined;
  if (status === 401) return refusal(failure);
  if (status === 403) return denial(words, context);
  if (status === 404) return notFound(words, context);
  if (status >= 400)
    return { code: 'model-rejected', message: `Bedrock rejected the request to ${modelName(context)}: ${words}` };
  return undefined;
}

function unknown({ name, words, status }: Failure, context: BedrockRequestContext): ErrorDescription {
  const answered = status === undefined ? '' : ` (status ${status})`;
  if (name === 'SyntaxError') {
    // The SDK adds advice on how to debug it, on a line of its own.
    const [firstLine] = words.split('\n');
    return {
      code: 'model-failed',
      message: `What answered for ${modelName(context)} at ${context.endpoint ?? 'its address'} is not JSON as Bedrock writes it${answered}: ${firstLine} Is something else there, such as a proxy?`,
    };
  }
  return { code: 'model-failed', message: `The request to ${modelName(context)} failed${answered}: ${words}` };
}

function outage({ name, words, status }: Failure, context: BedrockRequestContext): ErrorDescription {
  const what = name === 'SyntaxError' || name === 'Error' || name === '' ? '' : `${name}, `;
  const [firstLine] = words.split('\n');
  return {
    code: 'model-unavailable',
    retryable: true,
    message: `${modelName(context)} at ${context.endpoint ?? 'Bedrock'} failed (${what}status ${status ?? 'none'}): ${firstLine} Try again later.`,
  };
}

function modelError(failure: Failure, context: BedrockRequestContext): ErrorDescription {
  const { originalStatus = 500, words } = failure;
  if (originalStatus >= 500 || originalStatus === 408) return outage(failure, context);
  if (originalStatus === 429) {
    return {
      code: 'model-throttled',
      retryable: true,
      message: `${modelName(context)} takes no more requests now: ${words}`,
    };
  }
  return {
    code: 'model-failed',
    message: `${modelName(context)} failed (status ${originalStatus} of the model): ${words}`,
  };
}

function refusal({ words, name }: Failure): ErrorDescription {
  const clock = isClockOff.test(`${name} ${words}`)
    ? " This machine's clock is off: set it, AWS accepts five minutes of difference."
    : ` ${credentialPlaces}`;
  return { code: 'credentials-refused', message: `AWS did not accept the credentials: ${sentence(words)}${clock}` };
}

function denial(words: string, context: BedrockRequestContext): ErrorDescription {
  return {
    code: 'model-access-denied',
    message:
      `This account may not use ${modelName(context)}: ${sentence(words)} ` +
      `Enable the model in the Bedrock console › Model access${inRegion(context)}, and allow bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream in IAM.`,
  };
}

function notFound(words: string, context: BedrockRequestContext): ErrorDescription {
  return {
    code: 'model-not-found',
    message: `Bedrock has no model ${modelName(context)}: ${sentence(words)} Check the id and the region: not every model is in every region, and old ones are switched off.`,
  };
}

function invalidRequest(words: string, context: BedrockRequestContext): ErrorDescription {
  if (/model identifier is invalid|model id(?:entifier)? .*(?:not found|unknown|does not exist)/i.test(words))
    return notFound(words, context);
  if (/on-demand throughput isn.t supported/i.test(words)) {
    return {
      code: 'model-not-found',
      message: `${modelName(context)} is offered by inference profiles only: put the profile's prefix before the id, such as us.${context.modelId} or eu.${context.modelId}. Bedrock says: ${words}`,
    };
  }
  if (/operation not allowed/i.test(words)) return denial(words, context);
  return { code: 'model-rejected', message: `Bedrock rejected the request to ${modelName(context)}: ${words}` };
}

/** `Retry-After` in seconds or as a date, or milliseconds in `x-amz-retry-after`. The SDK keeps the response in a hidden property. */
function retryAfter(error: unknown): number | undefined {
  const { headers } = Object((Object(error) as { $response?: unknown }).$response) as {
    headers?: Record<string, string>;
  };
  const precise = Number(headers?.['x-amz-retry-after']);
  if (precise > 0) return precise;
  const value = headers?.['retry-after'];
  if (value === undefined) return undefined;
  const ms = /^\d+(?:\.\d+)?$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return ms > 0 ? Math.ceil(ms) : undefined;
}

function modelName({ modelId, region }: BedrockRequestContext): string {
  return region === undefined ? modelId : `${modelId} in ${region}`;
}

function inRegion({ region }: BedrockRequestContext): string {
  return region === undefined ? '' : ` of region ${region}`;
}

function sentence(words: string): string {
  return /[.!?]$/.test(words.trim()) ? words.trim() : `${words.trim()}.`;
}
