import { AquiferError } from '@aquifer/contracts';
import type { BedrockRuntimeClient, ConverseRequest, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { type BedrockRequestContext, describeBedrockError } from '../bedrock-errors.js';
import type { TextRequest } from './text-family.js';

/** A piece of a model's answer: a chunk or event of a stream, or the whole of one that does not stream. */
export interface AnswerPiece {
  readonly content: object;
  /** Counts that Bedrock adds to the model's own words. */
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** A guardrail of the account withheld something. */
  readonly isFiltered: boolean;
}

/**
 * Sends a request and resolves with the first piece of its answer at hand, so that what fails before it can be tried again. Iterating rejects
 * with an AquiferError where the answer breaks off or cannot be read. The signal ends the request at any time and frees its connection.
 */
export async function openAnswer(
  client: BedrockRuntimeClient,
  request: TextRequest,
  context: BedrockRequestContext,
  abortSignal: AbortSignal,
): Promise<AsyncIterable<AnswerPiece>> {
  try {
    const pieces = (await send(client, request, context.modelId, abortSignal))[Symbol.asyncIterator]();
    const first = await pieces.next();
    if (first.done) throw brokenOff(context);
    return continueFrom(first, pieces, context);
  } catch (error) {
    throw describeBedrockError(error, context);
  }
}

/** The error of an answer that ends before the model has said that it is done. */
export function brokenOff({ modelId, endpoint }: BedrockRequestContext): AquiferError {
  return new AquiferError(
    'model-unavailable',
    `The answer of ${modelId} at ${endpoint ?? 'Bedrock'} broke off before its end. Ask again.`,
    { retryable: true },
  );
}

async function* continueFrom(
  first: IteratorResult<AnswerPiece>,
  rest: AsyncIterator<AnswerPiece>,
  context: BedrockRequestContext,
): AsyncGenerator<AnswerPiece, void, undefined> {
  try {
    for (let next = first; !next.done; next = await rest.next()) yield next.value;
  } catch (error) {
    throw describeBedrockError(error, context);
  }
}

async function send(
  client: BedrockRuntimeClient,
  { operation, body }: TextRequest,
  modelId: string,
  abortSignal: AbortSignal,
): Promise<AsyncIterable<AnswerPiece>> {
  const sdk = await import('@aws-sdk/client-bedrock-runtime');
  // The SDK opens a connection of its own for every stream of events; those that only come in can share one like any other response.
  const options = { abortSignal, isEventStream: false };
  const invocation = {
    modelId,
    body: JSON.stringify(body),
    contentType: 'application/json',
    accept: 'application/json',
  };
  switch (operation) {
    case 'InvokeModel': {
      const command = new sdk.InvokeModelCommand(invocation);
      const headers = keepHeaders(command.middlewareStack);
      const response = await client.send(command, options);
      return once(invokedPiece(response.body, headers, modelId));
    }
    case 'InvokeModelWithResponseStream': {
      const response = await client.send(new sdk.InvokeModelWithResponseStreamCommand(invocation), options);
      return chunks(response.body ?? [], modelId);
    }
    case 'Converse': {
      const response = await client.send(new sdk.ConverseCommand({ ...conversation(body), modelId }), options);
      return once({ content: response, isFiltered: false });
    }
    case 'ConverseStream': {
      const response = await client.send(new sdk.ConverseStreamCommand({ ...conversation(body), modelId }), options);
      return events(response.stream ?? []);
    }
  }
}

/** What a family wrote in the form of Converse. */
function conversation(body: object) {
  return body as Omit<ConverseRequest, 'modelId'>;
}

/** Token counts of InvokeModel come in headers, which the SDK does not hand out. */
function keepHeaders(stack: InvokeModelCommand['middlewareStack']): Record<string, string> {
  const kept: Record<string, string> = {};
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      Object.assign(kept, (result.response as { headers?: Record<string, string> }).headers);
      return result;
    },
    { step: 'deserialize', name: 'keepHeaders', priority: 'low' },
  );
  return kept;
}

function invokedPiece(body: Uint8Array, headers: Readonly<Record<string, string>>, modelId: string): AnswerPiece {
  const inputTokens = Number(headers['x-amzn-bedrock-input-token-count']);
  const outputTokens = Number(headers['x-amzn-bedrock-output-token-count']);
  return {
    ...readPiece(body, modelId),
    ...(Number.isInteger(inputTokens) && { inputTokens }),
    ...(Number.isInteger(outputTokens) && { outputTokens }),
  };
}

async function* once(piece: AnswerPiece): AsyncGenerator<AnswerPiece, void, undefined> {
  yield piece;
}

async function* chunks(
  stream: AsyncIterable<{ chunk?: { bytes?: Uint8Array } }> | Iterable<never>,
  modelId: string,
): AsyncGenerator<AnswerPiece, void, undefined> {
  for await (const { chunk } of stream) if (chunk?.bytes) yield readPiece(chunk.bytes, modelId);
}

async function* events(stream: AsyncIterable<object> | Iterable<never>): AsyncGenerator<AnswerPiece, void, undefined> {
  for await (const content of stream) yield { content, isFiltered: false };
}

interface InvocationNotes {
  readonly 'amazon-bedrock-invocationMetrics'?: {
    readonly inputTokenCount?: number;
    readonly outputTokenCount?: number;
  };
  readonly 'amazon-bedrock-guardrailAction'?: string;
}

const utf8 = new TextDecoder();

function readPiece(bytes: Uint8Array, modelId: string): AnswerPiece {
  const text = utf8.decode(bytes);
  const content = parseObject(text) as (object & InvocationNotes) | undefined;
  if (!content) {
    throw new AquiferError(
      'model-failed',
      `The answer of ${modelId} is not JSON as it should be: ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`,
      { retryable: true },
    );
  }
  const metrics = content['amazon-bedrock-invocationMetrics'];
  return {
    content,
    isFiltered: content['amazon-bedrock-guardrailAction'] === 'INTERVENED',
    ...(metrics?.inputTokenCount !== undefined && { inputTokens: metrics.inputTokenCount }),
    ...(metrics?.outputTokenCount !== undefined && { outputTokens: metrics.outputTokenCount }),
  };
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
