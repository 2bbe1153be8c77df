import { type AquiferError, describeError, type ErrorDescription, isAquiferError } from '@aquifer/contracts';
import { describeBedrockError } from '../bedrock/bedrock-errors.js';
import { saysTooLong } from '../http/too-long.js';

/** What a failed request was about. */
export interface SageMakerRequestContext {
  /** The endpoint's name. */
  readonly endpointName: string;
  readonly region?: string;
  /** Where requests go, for messages about the network. */
  readonly address?: string;
}

interface Failure {
  readonly name: string;
  readonly words: string;
  /** Of ModelError: what the container answered to SageMaker. */
  readonly originalStatus?: number;
}

/**
 * Makes what the AWS SDK threw for a request to SageMaker an {@link AquiferError}, in place: class, name and `$metadata` stay. What is the
 * same for all of AWS (credentials, network, regions, aborts) is described as for Bedrock.
 *
 * Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
 */
export function describeSageMakerError(error: unknown, context: SageMakerRequestContext): AquiferError {
  if (isAquiferError(error)) return error;
  const description = byName(readFailure(error), context);
  if (description) return describeError(error, description);
  return describeBedrockError(error, {
    modelId: `the SageMaker endpoint ${context.endpointName}`,
    ...(context.region !== undefined && { region: context.region }),
    ...(context.address !== undefined && { endpoint: context.address }),
  });
}

function readFailure(error: unknown): Failure {
  const { name, message, Message, OriginalMessage, OriginalStatusCode, ErrorCode } = Object(error) as Record<
    string,
    unknown
  >;
  const words = [OriginalMessage, message, Message, ErrorCode].find((text) => typeof text === 'string' && text !== '');
  return {
    name: typeof name === 'string' ? name : '',
    words: String(words ?? error),
    ...(typeof OriginalStatusCode === 'number' && { originalStatus: OriginalStatusCode }),
  };
}

function byName(failure: Failure, { endpointName, region }: SageMakerRequestContext): ErrorDescription | undefined {
  const { name, words, originalStatus } = failure;
  const place = `The SageMaker endpoint ${endpointName}${region === undefined ? '' : ` in ${region}`}`;
  switch (name) {
    case 'ModelError':
      return modelError(place, words, originalStatus ?? 500);
    case 'ModelStreamError':
    case 'InternalStreamFailure':
    case 'InternalFailure':
    case 'InternalDependencyException':
    case 'ServiceUnavailable':
    case 'ServiceUnavailableException':
      return { code: 'model-unavailable', retryable: true, message: `${place} failed (${name}): ${words}` };
    case 'ModelNotReadyException':
    case 'ThrottlingException':
      return { code: 'model-throttled', retryable: true, message: `${place} takes no more requests now: ${words}` };
    case 'AccessDeniedException':
      return {
        code: 'model-access-denied',
        message: `${place} may not be used with these credentials: ${words} Allow sagemaker:InvokeEndpoint in IAM.`,
      };
    case 'ValidationError':
    case 'ValidationException':
      if (/not found|could not find/i.test(words)) {
        return {
          code: 'model-not-found',
          message: `${place} does not exist: ${words} Check its name and the region.`,
        };
      }
      return { code: 'model-rejected', message: `${place} rejected the request: ${words}` };
    default:
      return undefined;
  }
}

/** The container's own status says whether asking again may help. */
function modelError(place: string, words: string, status: number): ErrorDescription {
  const message = `${place} answered with status ${status} of the model: ${words}`;
  if (saysTooLong(words)) return { code: 'too-large', message };
  if (status === 429) return { code: 'model-throttled', retryable: true, message };
  if (status >= 500 || status === 408) return { code: 'model-unavailable', retryable: true, message };
  return { code: 'model-rejected', message };
}
