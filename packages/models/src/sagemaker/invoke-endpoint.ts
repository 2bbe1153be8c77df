import { AquiferError } from '@aquifer/contracts';
import type { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { createLineSplitter } from '../http/line-splitter.js';
import { parseServerJson, serverJson } from '../http/model-server.js';
import type { SageMakerEndpoint } from './sagemaker-client.js';
import { describeSageMakerError, type SageMakerRequestContext } from './sagemaker-errors.js';

export interface EndpointInvocation extends Pick<SageMakerEndpoint, 'endpoint' | 'inferenceComponent'> {
  /** In the format of the container. */
  readonly body: unknown;
  readonly signal: AbortSignal;
  readonly context: SageMakerRequestContext;
}

/** What messages call an endpoint. */
export function endpointLabel({ endpointName }: SageMakerRequestContext): string {
  return `The SageMaker endpoint ${endpointName}`;
}

/** One request, sent once; the container's JSON, not looked at. */
export async function invokeEndpoint(client: SageMakerRuntimeClient, invocation: EndpointInvocation): Promise<unknown> {
  const { context, signal } = invocation;
  const { InvokeEndpointCommand } = await import('@aws-sdk/client-sagemaker-runtime');
  try {
    const response = await client.send(new InvokeEndpointCommand(inputOf(invocation)), { abortSignal: signal });
    return parseServerJson(new TextDecoder().decode(response.Body), endpointLabel(context));
  } catch (error) {
    throw describeSageMakerError(error, context);
  }
}

/** One request whose answer comes as lines: resolves when the endpoint has begun to answer. */
export async function streamEndpoint(
  client: SageMakerRuntimeClient,
  invocation: EndpointInvocation,
): Promise<AsyncIterable<string>> {
  const { context, signal } = invocation;
  const { InvokeEndpointWithResponseStreamCommand } = await import('@aws-sdk/client-sagemaker-runtime');
  try {
    const command = new InvokeEndpointWithResponseStreamCommand(inputOf(invocation));
    const { Body } = await client.send(command, { abortSignal: signal });
    if (Body === undefined)
      throw new AquiferError('model-failed', `${endpointLabel(context)} answered without a body.`);
    return readLines(Body, context);
  } catch (error) {
    throw describeSageMakerError(error, context);
  }
}

function inputOf({ endpoint, inferenceComponent, body }: EndpointInvocation) {
  return {
    EndpointName: endpoint,
    ...(inferenceComponent !== undefined && { InferenceComponentName: inferenceComponent }),
    ContentType: 'application/json',
    Body: serverJson(body),
  };
}

async function* readLines(
  events: AsyncIterable<{ readonly PayloadPart?: { readonly Bytes?: Uint8Array } }>,
  context: SageMakerRequestContext,
): AsyncGenerator<string> {
  // Parts end anywhere, also in the middle of a character.
  const splitter = createLineSplitter();
  try {
    for await (const { PayloadPart } of events) if (PayloadPart?.Bytes) yield* splitter.push(PayloadPart.Bytes);
  } catch (error) {
    throw describeSageMakerError(error, context);
  }
}
