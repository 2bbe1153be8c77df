import { type BedrockFamily, type BedrockModelId, parseBedrockModelId } from '@aquifer/contracts';
import { conversationTokens, type TextAnswer, type TextEnd, type TextPiece, type TextRequest } from './conversation.js';
import { errorFrame, eventFrame, eventStreamType } from './event-stream.js';
import {
  converseContent,
  converseStopReasons,
  converseUsage,
  createConverseWriter,
  readConverse,
} from './families/converse.js';
import { familyNamed } from './families/families.js';
import type { InvokeCall, TextFamily } from './families/family.js';
import { rerankSources } from './families/rerank.js';
import { frameworkWords } from './field-words.js';
import type { GroundedEvent, KnowledgeBaseBackend } from './knowledge-bases/knowledge-base-backend.js';
import { retrieve } from './knowledge-bases/retrieve.js';
import { citationOf, grounded, readRetrieveAndGenerate } from './knowledge-bases/retrieve-and-generate.js';
import type { GenerateEvent, ModelBackend } from './model-backend.js';
import { isKnowledgeBaseOperation, type KnowledgeBaseOperation, type WireOperation } from './operation.js';
import { base64Bytes, readFields } from './request-fields.js';
import { invalidRequest, statusOf, toWireError, type WireError, WireException } from './wire-error.js';

export interface WireRequest {
  readonly operation: WireOperation;
  readonly modelId: string;
  readonly knowledgeBaseId?: string;
  /** Given back in the answer, so that a caller's log and the server's can be laid beside each other. */
  readonly requestId: string;
  /** With lower-case names. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
  readonly signal?: AbortSignal;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** All of it, or frames of an event stream as they come; such a stream does not throw, it ends with the error. */
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/**
 * Answers a request to Bedrock's runtime as Bedrock does: in the model's own format, with its errors. What answers is the backend.
 *
 * Never rejects: a failure is a response.
 *
 * @example
 * const response = await handleRequest({ operation: 'InvokeModel', modelId, requestId, body }, backend);
 */
export async function handleRequest(
  request: WireRequest,
  backend: ModelBackend,
  knowledgeBases?: KnowledgeBaseBackend,
): Promise<WireResponse> {
  try {
    return await answer(request, backend, knowledgeBases);
  } catch (thrown) {
    return errorResponse(toWireError(thrown), request.requestId);
  }
}

/** An error as an HTTP response. */
export function errorResponse(error: WireError, requestId: string): WireResponse {
  return {
    status: statusOf(error.name),
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': requestId,
      'x-amzn-errortype': error.name,
      ...(error.retryAfterSeconds !== undefined && { 'retry-after': String(error.retryAfterSeconds) }),
    },
    body: JSON.stringify({ message: error.message, ...error.details }),
  };
}

async function answer(
  request: WireRequest,
  backend: ModelBackend,
  knowledgeBases: KnowledgeBaseBackend | undefined,
): Promise<WireResponse> {
  const startedAt = performance.now();
  const body = parseJson(request.body);
  if (request.operation === 'Rerank') {
    const result = await rerankSources(body, backend, request.signal);
    return jsonResponse(request, JSON.stringify(result));
  }
  if (isKnowledgeBaseOperation(request.operation)) {
    if (knowledgeBases === undefined)
      throw new WireException({ name: 'ResourceNotFoundException', message: 'There are no knowledge bases here.' });
    return answerFromKnowledgeBase(request, request.operation, body, knowledgeBases);
  }
  const model = parseBedrockModelId(request.modelId);
  // A model that is named behind an ARN is for clients to know; Bedrock refuses it.
  if (model === undefined || model.id !== request.modelId) {
    throw invalidRequest('The provided model identifier is invalid.');
  }
  // There are none here, and an answer that no guardrail has seen must not look like one that passed.
  if (
    request.headers?.['x-amzn-bedrock-guardrailidentifier'] !== undefined ||
    asksForGuardrail(request.operation, body)
  ) {
    throw invalidRequest('The guardrail identifier or version provided in the request does not exist.');
  }
  switch (request.operation) {
    case 'InvokeModel':
      return invoke(request, model, body, backend, startedAt);
    case 'InvokeModelWithResponseStream':
      return invokeStream(request, model, body, backend, startedAt);
    case 'Converse':
      return converse(request, model, body, backend, startedAt);
    case 'ConverseStream':
      return converseStream(request, model, body, backend, startedAt);
    case 'CountTokens':
      return jsonResponse(request, JSON.stringify({ inputTokens: countTokens(model, body) }));
  }
}

async function answerFromKnowledgeBase(
  request: WireRequest,
  operation: KnowledgeBaseOperation,
  body: unknown,
  backend: KnowledgeBaseBackend,
): Promise<WireResponse> {
  const { requestId, signal } = request;
  if (operation === 'Retrieve') {
    return jsonResponse(request, JSON.stringify(await retrieve(request.knowledgeBaseId ?? '', body, backend, signal)));
  }
  const call = { signal, ...readRetrieveAndGenerate(body) };
  const answered = await ('document' in call ? backend.answerFrom(call) : backend.answer(call));
  if (operation === 'RetrieveAndGenerate') {
    return jsonResponse(request, JSON.stringify(await grounded(answered)));
  }
  const iterator = answered.events[Symbol.asyncIterator]();
  // What fails before anything was said is refused with a status.
  const first = await iterator.next();
  return {
    status: 200,
    headers: {
      'content-type': eventStreamType,
      'x-amzn-requestid': requestId,
      'x-amzn-bedrock-knowledge-base-session-id': answered.sessionId,
    },
    body: groundedFrames(first, iterator),
  };
}

async function* groundedFrames(
  first: IteratorResult<GroundedEvent>,
  events: AsyncIterator<GroundedEvent>,
): AsyncGenerator<Uint8Array> {
  let text = '';
  try {
    for (let next = first; !next.done; next = await events.next()) {
      const event = next.value;
      if (event.type === 'text') {
        text += event.text;
        yield eventFrame('output', { text: event.text });
      } else {
        yield eventFrame('citation', citationOf(text, event));
      }
    }
  } catch (thrown) {
    yield errorFrame(toWireError(thrown));
  } finally {
    await events.return?.();
  }
}

function asksForGuardrail(operation: WireOperation, body: unknown): boolean {
  const converses = operation === 'Converse' || operation === 'ConverseStream';
  return converses && (body as { guardrailConfig?: unknown } | null)?.guardrailConfig != null;
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    throw invalidRequest('Malformed input request, please reformat your input and try again.');
  }
}

function jsonResponse(
  { requestId }: WireRequest,
  body: Uint8Array | string,
  headers?: Readonly<Record<string, string>>,
): WireResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId, ...headers },
    body,
  };
}

async function invoke(
  request: WireRequest,
  { family, baseId }: BedrockModelId,
  body: unknown,
  backend: ModelBackend,
  startedAt: number,
): Promise<WireResponse> {
  const format = invokable(family);
  const { requestId, modelId, signal } = request;
  const call: InvokeCall = { modelId, baseId, requestId, body, backend, signal };
  const result = format.kind === 'whole' ? await format.invoke(call) : await invokeText(format, call);
  const { inputTokens, outputTokens } = result;
  return jsonResponse(request, result.body, {
    'x-amzn-bedrock-invocation-latency': String(Math.round(performance.now() - startedAt)),
    ...(inputTokens !== undefined && { 'x-amzn-bedrock-input-token-count': String(inputTokens) }),
    ...(outputTokens !== undefined && { 'x-amzn-bedrock-output-token-count': String(outputTokens) }),
  });
}

async function invokeText(format: TextFamily, { modelId, baseId, requestId, body, backend, signal }: InvokeCall) {
  const parsed = format.parse(body, baseId);
  const whole = await wholeAnswer(parsed, backend.generate({ modelId, signal, ...parsed }));
  const { inputTokens, outputTokens } = whole;
  return {
    body: JSON.stringify(format.answer(whole, { baseId, requestId, request: parsed })),
    inputTokens,
    outputTokens,
  };
}

async function invokeStream(
  request: WireRequest,
  { family, baseId }: BedrockModelId,
  body: unknown,
  backend: ModelBackend,
  startedAt: number,
): Promise<WireResponse> {
  const format = invokable(family);
  if (format.kind === 'whole' || format.chunks === undefined) {
    throw invalidRequest('The model is unsupported for streaming.');
  }
  const { requestId, modelId, signal } = request;
  const parsed = format.parse(body, baseId);
  const writer = format.chunks({ baseId, requestId, request: parsed });
  const events = backend.generate({ modelId, signal, ...parsed });
  return streamResponse(
    request,
    parsed,
    events,
    startedAt,
    { 'x-amzn-bedrock-content-type': 'application/json' },
    {
      start: (inputTokens) => writer.start(inputTokens).map(chunkFrame),
      piece: (piece) => writer.piece(piece).map(chunkFrame),
      end(end, times) {
        const chunks = writer.end(end);
        const metrics = { inputTokenCount: end.inputTokens, outputTokenCount: end.outputTokens, ...times };
        return chunks.map((chunk, index) =>
          chunkFrame(index < chunks.length - 1 ? chunk : { ...chunk, 'amazon-bedrock-invocationMetrics': metrics }),
        );
      },
    },
  );
}

function chunkFrame(chunk: object): Uint8Array {
  return eventFrame('chunk', { bytes: Buffer.from(JSON.stringify(chunk)).toString('base64') });
}

/** Families that answer Converse, and whether they stream there. */
function conversing(family: BedrockFamily): TextFamily | undefined {
  const format = familyNamed(family);
  if (format?.kind === 'whole') {
    throw invalidRequest(
      "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
    );
  }
  return format;
}

/** Families that have only Converse have bodies of their own at InvokeModel that are not spoken here. */
function invokable(family: BedrockFamily) {
  const format = familyNamed(family);
  if (format === undefined) {
    throw invalidRequest(
      'This server speaks with models of this family through Converse and ConverseStream only. Use one of them.',
    );
  }
  return format;
}

/** Older models take no system text and no documents. Source: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html */
function checkFeatures(family: BedrockFamily, { conversation: { system, sources } }: TextRequest): void {
  const isPlain = family === 'titan-text' || family === 'jurassic';
  if (isPlain && system !== '') {
    throw invalidRequest(
      "This model doesn't support system messages. Try again without a system message or use a model that supports system messages.",
    );
  }
  if (family === 'jurassic' && sources.length > 0) {
    throw invalidRequest(
      "This model doesn't support documents. Try again without documents or use a model that supports documents.",
    );
  }
}

async function converse(
  request: WireRequest,
  { family }: BedrockModelId,
  body: unknown,
  backend: ModelBackend,
  startedAt: number,
): Promise<WireResponse> {
  conversing(family);
  const parsed = readConverse(body);
  checkFeatures(family, parsed);
  const { modelId, signal } = request;
  const whole = await wholeAnswer(parsed, backend.generate({ modelId, signal, ...parsed }));
  const message = { role: 'assistant', content: converseContent(whole.pieces, parsed.conversation.sources) };
  return jsonResponse(
    request,
    JSON.stringify({
      output: { message },
      stopReason: converseStopReasons[whole.reason],
      usage: converseUsage(whole),
      metrics: { latencyMs: Math.round(performance.now() - startedAt) },
    }),
  );
}

async function converseStream(
  request: WireRequest,
  { family }: BedrockModelId,
  body: unknown,
  backend: ModelBackend,
  startedAt: number,
): Promise<WireResponse> {
  const format = conversing(family);
  if (format !== undefined && format.chunks === undefined)
    throw invalidRequest('The model is unsupported for streaming.');
  const parsed = readConverse(body);
  checkFeatures(family, parsed);
  const { modelId, signal } = request;
  const writer = createConverseWriter(parsed.conversation.sources);
  return streamResponse(
    request,
    parsed,
    backend.generate({ modelId, signal, ...parsed }),
    startedAt,
    {},
    {
      start: (inputTokens) => writer.start(inputTokens).map(memberFrame),
      piece: (piece) => writer.piece(piece).map(memberFrame),
      end: (end, { invocationLatency }) => [
        ...writer.end(end).map(memberFrame),
        eventFrame('metadata', { usage: converseUsage(end), metrics: { latencyMs: invocationLatency } }),
      ],
    },
  );
}

function memberFrame(event: object): Uint8Array {
  const [[type, payload]] = Object.entries(event) as [[string, unknown]];
  return eventFrame(type, payload);
}

interface FrameWriter {
  start(inputTokens: number): readonly Uint8Array[];
  piece(piece: TextPiece): readonly Uint8Array[];
  end(end: TextEnd, times: { invocationLatency: number; firstByteLatency: number }): readonly Uint8Array[];
}

/** Waits for the model's first word, so that a model that fails at once is an HTTP error and not a broken stream. */
async function streamResponse(
  { requestId }: WireRequest,
  parsed: TextRequest,
  events: AsyncIterable<GenerateEvent>,
  startedAt: number,
  headers: Readonly<Record<string, string>>,
  writer: FrameWriter,
): Promise<WireResponse> {
  const estimated = conversationTokens(parsed.conversation);
  const iterator = events[Symbol.asyncIterator]();
  const first = await iterator.next();
  const firstByteLatency = Math.round(performance.now() - startedAt);

  async function* frames(): AsyncIterable<Uint8Array> {
    try {
      yield* writer.start(estimated);
      for (let result = first; !result.done; result = await iterator.next()) {
        const event = result.value;
        if (event.type === 'text') {
          yield* writer.piece(event);
        } else {
          const { reason, stopSequence, inputTokens = estimated, outputTokens = 0 } = event;
          const invocationLatency = Math.round(performance.now() - startedAt);
          const end = { reason, stopSequence, inputTokens, outputTokens };
          yield* writer.end(end, { invocationLatency, firstByteLatency });
        }
      }
    } catch (thrown) {
      yield errorFrame(toWireError(thrown));
    } finally {
      // Also when nobody reads on: the model must not be left running.
      await iterator.return?.();
    }
  }
  return {
    status: 200,
    headers: { 'content-type': eventStreamType, 'x-amzn-requestid': requestId, ...headers },
    body: frames(),
  };
}

async function wholeAnswer(parsed: TextRequest, events: AsyncIterable<GenerateEvent>): Promise<TextAnswer> {
  const pieces: TextPiece[] = [];
  for await (const event of events) {
    if (event.type === 'text') {
      pieces.push(event);
      continue;
    }
    const { reason, stopSequence, inputTokens = conversationTokens(parsed.conversation), outputTokens = 0 } = event;
    return { pieces, reason, stopSequence, inputTokens, outputTokens };
  }
  throw new WireException({
    name: 'ModelErrorException',
    message: 'The model stopped without saying why.',
    details: { originalStatusCode: 500 },
  });
}

function countTokens({ family, baseId }: BedrockModelId, body: unknown): number {
  const format = familyNamed(family);
  const input = readFields(body, frameworkWords).object('input');
  const invocation = input?.object('invokeModel');
  if (format?.kind === 'whole') throw invalidRequest("The provided model doesn't support counting tokens.");
  if (invocation && format) {
    const bytes = base64Bytes(invocation.requiredText('body'));
    if (bytes === undefined) throw invalidRequest('input.invokeModel.body is not valid base64.');
    return conversationTokens(format.parse(parseJson(bytes), baseId).conversation);
  }
  if (invocation) invokable(family);
  const conversation = input?.raw('converse');
  if (conversation === undefined) throw invalidRequest('The input must have one of the members invokeModel, converse.');
  return conversationTokens(readConverse(conversation).conversation);
}
