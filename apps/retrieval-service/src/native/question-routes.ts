import { createRoute } from '@hono/zod-openapi';
import type { AnswerEvent } from 'aquifer';
import type { Session } from '../sessions/session-store.js';
import { begun } from './begun.js';
import { described, type NativeApiOptions, type NativeApp } from './native-api.js';
import { Problem, problemAnswer } from './problem.js';
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
import { eventStream, streamed } from './server-sent-events.js';
import { wholeAnswer } from './whole-answer.js';

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
    'are cited), and last `answer` (the whole); `interrupted` and then `error` where the model fails in the middle; `error` alone where it fails later than a moment after the question.',
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

/** The answer's events, of which the session keeps the last; it says which session it is. */
async function* keptIn(session: Session, events: AsyncIterable<AnswerEvent>): AsyncGenerator<AnswerEvent> {
  for await (const event of events) {
    if (event.type !== 'answer') yield event;
    else {
      session.keep(event.answer);
      const answer = { ...event.answer, sessionId: session.id };
      yield { ...event, answer };
    }
  }
}

export function addQuestionRoutes(app: NativeApp, { sessions }: NativeApiOptions): void {
  function sessionOf(tenant: string, knowledgeBaseId: string, wanted: string): Session {
    const session =
      wanted === 'new' ? sessions.begin(tenant, knowledgeBaseId) : sessions.find(tenant, knowledgeBaseId, wanted);
    if (session !== undefined) return session;
    throw new Problem(
      'session-not-found',
      'There is no such session. Sessions are forgotten after a day, and when the service is started again: begin one with "session": "new".',
    );
  }

  app.openapi(search, async (context) => {
    const { exchange, caller, host } = context.env;
    const { query, ...options } = context.req.valid('json');
    const { reader } = await host.get(caller.tenant, context.req.valid('param').knowledgeBase);
    return described(context, await reader.search(query, { signal: exchange.signal, ...options }));
  });

  app.openapi(explain, async (context) => {
    const { exchange, caller, host } = context.env;
    const { query, documentId, ...options } = context.req.valid('json');
    const { reader } = await host.get(caller.tenant, context.req.valid('param').knowledgeBase);
    return described(context, await reader.explain(query, documentId, { signal: exchange.signal, ...options }));
  });

  app.openapi(ask, async (context) => {
    const { exchange, caller, host, requestId } = context.env;
    const { question, session: wanted, ...options } = context.req.valid('json');
    const { reader, id } = await host.get(caller.tenant, context.req.valid('param').knowledgeBase);
    const session = wanted === undefined ? undefined : sessionOf(caller.tenant, id, wanted);
    const asked = reader.ask(question, { signal: exchange.signal, conversation: session?.turns ?? [], ...options });
    const events = session === undefined ? asked : keptIn(session, asked);
    if (!/\btext\/event-stream\b/.test(context.req.header('accept') ?? '')) {
      return described(context, await wholeAnswer(events));
    }
    const { events: answer, isAwaited } = await begun(events);
    const describe = (thrown: unknown) => problemAnswer(thrown, requestId).body.error;
    const body = eventStream(map(answer, sent), describe, { isAwaited });
    return streamed(body);
  });
}
