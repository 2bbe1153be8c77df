import { createRoute } from '@hono/zod-openapi';
import type { AnswerEvent } from 'aquifer';
import { begun } from './begun.js';
import { described, type NativeApp } from './native-api.js';
import { problemAnswer } from './problem.js';
import { json, knowledgeBaseParameter, problems } from './responses.js';
import {
  answerEventSchema,
  answerSchema,
  askRequestSchema,
  explainRequestSchema,
  explanationSchema,
  searchRequestSchema,
  searchResponseSchema,
} from './schemas.js';
import { eventStream, eventStreamHeaders } from './server-sent-events.js';

const search = createRoute({
  method: 'post',
  path: '/v1/knowledge-bases/{knowledgeBase}/search',
  operationId: 'search',
  tags: ['Questions'],
  description: 'Ranked passages, without a model.',
  request: {
    params: knowledgeBaseParameter,
    body: { required: true, content: { 'application/json': { schema: searchRequestSchema } } },
  },
  responses: { ...problems, 200: json(searchResponseSchema, 'Best first') },
});

const explain = createRoute({
  method: 'post',
  path: '/v1/knowledge-bases/{knowledgeBase}/explain',
  operationId: 'explain',
  tags: ['Questions'],
  description:
    'Why a document was found for a query, or was not: where its best chunk stood in each leg, however deep.',
  request: {
    params: knowledgeBaseParameter,
    body: { required: true, content: { 'application/json': { schema: explainRequestSchema } } },
  },
  responses: { ...problems, 200: json(explanationSchema, 'Where it stood') },
});

const ask = createRoute({
  method: 'post',
  path: '/v1/knowledge-bases/{knowledgeBase}/ask',
  operationId: 'ask',
  tags: ['Questions'],
  description:
    'An answer whose sentences are cited. With `Accept: text/event-stream` it is streamed: `search` (what was found), `text` (pieces of the answer), `citation` (the words before it ' +
    'are cited), and last `answer` (the whole); `interrupted` and then `error` where the model fails in the middle.',
  request: {
    params: knowledgeBaseParameter,
    body: { required: true, content: { 'application/json': { schema: askRequestSchema } } },
  },
  responses: {
    ...problems,
    200: {
      description: 'The answer',
      content: { 'application/json': { schema: answerSchema }, 'text/event-stream': { schema: answerEventSchema } },
    },
  },
});

/** The payload of each kind of event. */
function sent(event: AnswerEvent): { type: string; data: unknown } {
  switch (event.type) {
    case 'text':
      return { type: 'text', data: { text: event.text } };
    case 'citation':
      return { type: 'citation', data: event.citation };
    case 'answer':
      return { type: 'answer', data: event.answer };
    default: {
      const { type, ...data } = event;
      return { type, data };
    }
  }
}

async function* map<From, To>(items: AsyncIterable<From>, change: (item: From) => To): AsyncGenerator<To> {
  for await (const item of items) yield change(item);
}

export function addQuestionRoutes(app: NativeApp): void {
  app.openapi(search, async (context) => {
    const { exchange, caller, host } = context.env;
    const { query, ...options } = context.req.valid('json');
    const { reader } = await host.get(caller.tenant, context.req.valid('param').knowledgeBase);
    return described(context, await reader.search(query, { ...options, signal: exchange.signal }));
  });

  app.openapi(explain, async (context) => {
    const { exchange, caller, host } = context.env;
    const { query, documentId, ...options } = context.req.valid('json');
    const { reader } = await host.get(caller.tenant, context.req.valid('param').knowledgeBase);
    return described(context, await reader.explain(query, documentId, { ...options, signal: exchange.signal }));
  });

  app.openapi(ask, async (context) => {
    const { exchange, caller, host, requestId } = context.env;
    const { question, ...options } = context.req.valid('json');
    const { reader } = await host.get(caller.tenant, context.req.valid('param').knowledgeBase);
    const events = reader.ask(question, { ...options, signal: exchange.signal });
    if (!/\btext\/event-stream\b/.test(context.req.header('accept') ?? '')) {
      for await (const event of events) if (event.type === 'answer') return described(context, event.answer);
      throw new Error('An answer ended without being whole.');
    }
    const body = eventStream(map(await begun(events), sent), (thrown) => problemAnswer(thrown, requestId).body.error);
    return context.body(body, 200, eventStreamHeaders) as never;
  });
}
