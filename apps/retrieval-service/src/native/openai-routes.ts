import { createRoute, z } from '@hono/zod-openapi';
import { type Answer, type AnswerEvent, type ConversationTurn, keptCharacters, mostTurns } from 'aquifer';
import { begun } from './begun.js';
import { described, type NativeApp } from './native-api.js';
import { Problem, problemAnswer } from './problem.js';
import { json, problems } from './responses.js';
import { eventStream, streamed } from './server-sent-events.js';
import { wholeAnswer } from './whole-answer.js';

/** https://platform.openai.com/docs/api-reference: what its clients send beside this is taken and has no effect. */
const model = z.string().min(1).max(200).describe('A knowledge base, by name or id').openapi({ example: 'default' });

const messageSchema = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() })), z.null()]),
});

const chatRequestSchema = z
  .looseObject({
    model,
    messages: z
      .array(messageSchema)
      .min(1)
      .max(10_000)
      .describe('The last one of the user is the question, which may lean on the ones before it'),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
    max_tokens: z.int().min(1).max(1_000_000).nullish(),
    max_completion_tokens: z.int().min(1).max(1_000_000).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(4)]).nullish(),
    n: z.literal(1).nullish().describe('One answer'),
  })
  .openapi('ChatRequest', {
    example: { model: 'default', messages: [{ role: 'user', content: 'How long is parental leave in Japan?' }] },
  });

const embeddingsRequestSchema = z
  .looseObject({
    model,
    input: z.union([z.string(), z.array(z.string()).min(1).max(2_048)]),
    encoding_format: z.enum(['float', 'base64']).nullish(),
    dimensions: z.int().nullish().describe('Those of the knowledge base, or nothing'),
    input_type: z.enum(['query', 'document']).nullish().describe('Default document'),
  })
  .openapi('EmbeddingsRequest', { example: { model: 'default', input: 'parental leave' } });

const chat = createRoute({
  method: 'post',
  path: '/v1/chat/completions',
  operationId: 'createChatCompletion',
  tags: ['OpenAI'],
  description:
    "Asks a knowledge base as OpenAI's clients ask a model. Citations are in `citations`, and a question that leaned on the conversation as it was searched for in `standaloneQuestion`, as `ask` gives them; citations also as `annotations` of the message; streamed with `stream`.",
  request: { body: { required: true, content: { 'application/json': { schema: chatRequestSchema } } } },
  responses: {
    ...problems,
    200: {
      description: 'The answer',
      content: {
        'application/json': { schema: z.looseObject({ id: z.string(), choices: z.array(z.looseObject({})) }) },
        'text/event-stream': { schema: { type: 'string' } },
      },
    },
  },
});

const embeddings = createRoute({
  method: 'post',
  path: '/v1/embeddings',
  operationId: 'createEmbeddings',
  tags: ['OpenAI'],
  description: 'Vectors of the embedder that the knowledge base was built with.',
  request: { body: { required: true, content: { 'application/json': { schema: embeddingsRequestSchema } } } },
  responses: { ...problems, 200: json(z.looseObject({ data: z.array(z.looseObject({})) }), 'One vector an input') },
});

const models = createRoute({
  method: 'get',
  path: '/v1/models',
  operationId: 'listModels',
  tags: ['OpenAI'],
  description: 'The knowledge bases of the caller, as models.',
  responses: { ...problems, 200: json(z.looseObject({ data: z.array(z.looseObject({})) }), 'Knowledge bases') },
});

interface Chat {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly knowledgeBaseId: string;
}

export function addOpenAiRoutes(app: NativeApp): void {
  app.openapi(models, async (context) => {
    const { host, caller } = context.env;
    const data = (await host.list(caller.tenant)).map(({ name }) => {
      return { id: name, object: 'model', created: 0, owned_by: 'aquifer' };
    });
    return described(context, { object: 'list', data });
  });

  app.openapi(embeddings, async (context) => {
    const { host, caller, exchange } = context.env;
    const request = context.req.valid('json');
    const { reader } = await host.get(caller.tenant, request.model);
    const texts = typeof request.input === 'string' ? [request.input] : request.input;
    const { vectors, tokens } = await reader.embed(texts, {
      purpose: request.input_type ?? 'document',
      signal: exchange.signal,
    });
    const [{ length: dimensions } = { length: 0 }] = vectors;
    if (request.dimensions != null && request.dimensions !== dimensions) {
      const message = `Vectors of ${request.model} have ${dimensions} dimensions: leave "dimensions" out.`;
      throw new Problem('invalid-request', message);
    }
    const isBase64 = request.encoding_format === 'base64';
    return described(context, {
      object: 'list',
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: isBase64
          ? Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
          : [...vector],
      })),
      model: request.model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  });

  app.openapi(chat, async (context) => {
    const { host, caller, exchange, requestId } = context.env;
    const request = context.req.valid('json');
    const { reader, id: knowledgeBaseId } = await host.get(caller.tenant, request.model);
    const maxTokens = request.max_completion_tokens ?? request.max_tokens;
    const { question, conversation } = askedIn(request.messages);
    const events = reader.ask(question, {
      conversation,
      ...(maxTokens != null && { maxTokens }),
      ...(request.temperature != null && { temperature: request.temperature }),
      ...(request.top_p != null && { topP: request.top_p }),
      ...(request.stop != null && { stopSequences: [request.stop].flat() }),
      signal: exchange.signal,
    });
    const created = Math.floor(Date.now() / 1000);
    const about: Chat = { id: `chatcmpl-${requestId}`, created, model: request.model, knowledgeBaseId };
    if (request.stream !== true) return described(context, whole(await wholeAnswer(events), about));
    const { events: answer, isAwaited } = await begun(events);
    const chunks = chunksOf(answer, about, request.stream_options?.include_usage === true);
    const describe = (thrown: unknown) => problemAnswer(thrown, requestId).body;
    const body = eventStream(chunks, describe, { write: dataOnly, isAwaited });
    return streamed(body);
  });
}

type Message = z.infer<typeof messageSchema>;

/** The last message of the user, and what the user and the assistant said before it. */
function askedIn(messages: readonly Message[]): { question: string; conversation: readonly ConversationTurn[] } {
  const last = messages.findLastIndex(({ role }) => role === 'user');
  const question = textOf(messages[last]?.content ?? null);
  if (question === undefined) {
    throw new Problem('invalid-request', 'The messages hold no text of the user, which is the question.');
  }
  const turns: { question: string; answer: string }[] = [];
  for (const { role, content } of messages.slice(0, last)) {
    const text = textOf(content)?.trim();
    if (!text) continue;
    const turn = turns.at(-1);
    if (role === 'user') turns.push({ question: text.slice(0, keptCharacters), answer: '' });
    // An assistant that uses tools says something more than once; a greeting answers nothing.
    else if (role === 'assistant' && turn !== undefined) {
      turn.answer = `${turn.answer}\n${text}`.trim().slice(0, keptCharacters);
    }
  }
  return { question, conversation: turns.slice(-mostTurns) };
}

/** Undefined where there is none: pictures and calls of tools have no text. */
function textOf(content: Message['content']): string | undefined {
  if (typeof content === 'string') return content;
  const texts = (content ?? []).flatMap(({ type, text }) => (type === 'text' && text !== undefined ? [text] : []));
  return texts.length > 0 ? texts.join('\n') : undefined;
}

/** Its events have neither names nor numbers. */
function dataOnly({ type, data }: { readonly type: string; readonly data: unknown }): string {
  return type === 'done' ? 'data: [DONE]\n\n' : `data: ${JSON.stringify(data)}\n\n`;
}

const finishReasons: Readonly<Record<string, string>> = { 'max-tokens': 'length', filtered: 'content_filter' };

function usageOf({ inputTokens, outputTokens }: Answer['usage']) {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
}

/** Absent where the question stood alone. */
function standaloneIn({ standaloneQuestion }: Answer): { readonly standaloneQuestion?: string } {
  return standaloneQuestion === undefined ? {} : { standaloneQuestion };
}

/** Each cited document once a place, where it can be read. */
function annotationsOf(
  { start, end, references }: Answer['citations'][number],
  { knowledgeBaseId }: Chat,
): readonly object[] {
  return references.map(({ documentId, title }) => ({
    type: 'url_citation',
    url_citation: {
      start_index: start,
      end_index: end,
      url: `/v1/knowledge-bases/${knowledgeBaseId}/documents/${encodeURIComponent(documentId)}/content`,
      title,
    },
  }));
}

function whole(answer: Answer, about: Chat): object {
  const { id, created, model: named } = about;
  const annotations = answer.citations.flatMap((citation) => annotationsOf(citation, about));
  return {
    id,
    object: 'chat.completion',
    created,
    model: named,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: answer.answer, refusal: null, annotations },
        finish_reason: finishReasons[answer.stopReason] ?? 'stop',
        logprobs: null,
      },
    ],
    usage: usageOf(answer.usage),
    citations: answer.citations,
    ...standaloneIn(answer),
  };
}

async function* chunksOf(
  events: AsyncIterable<AnswerEvent>,
  about: Chat,
  withUsage: boolean,
): AsyncGenerator<{ readonly type: string; readonly data: unknown }> {
  const { id, created, model: named } = about;
  const chunk = (choices: readonly object[], more: object = {}) => ({
    type: 'chunk',
    data: { id, object: 'chat.completion.chunk', created, model: named, choices, ...more },
  });
  const said = (delta: object, finishReason: string | null = null) => [
    { index: 0, delta, finish_reason: finishReason, logprobs: null },
  ];
  let hasBegun = false;
  for await (const event of events) {
    // Not before: who leaves after it would leave the events to themselves.
    if (!hasBegun) yield chunk(said({ role: 'assistant', content: '' }));
    hasBegun = true;
    if (event.type === 'text') yield chunk(said({ content: event.text }));
    else if (event.type === 'citation') yield chunk(said({ annotations: annotationsOf(event.citation, about) }));
    else if (event.type === 'answer') {
      const { stopReason, citations, usage } = event.answer;
      yield chunk(said({}, finishReasons[stopReason] ?? 'stop'), { citations, ...standaloneIn(event.answer) });
      if (withUsage) yield chunk([], { usage: usageOf(usage) });
    }
  }
  yield { type: 'done', data: undefined };
}
