import { createRoute, z } from '@hono/zod-openapi';
import { described, type NativeApiOptions, type NativeApp } from './native-api.js';
import { cursorAfter, pageCursor, pageQuerySchema } from './page-cursor.js';
import { Problem, problemAnswer } from './problem.js';
import { json, problems } from './responses.js';
import { jobEventSchema, jobListSchema, jobSchema } from './run-schemas.js';
import { eventStream, streamed } from './server-sent-events.js';

const parameter = z.object({ job: z.string().min(1).max(200) });

const list = createRoute({
  method: 'get',
  path: '/v1/jobs',
  operationId: 'listJobs',
  tags: ['Jobs'],
  request: { query: pageQuerySchema },
  responses: { ...problems, 200: json(jobListSchema, 'Those of the caller that this process knows') },
});

const get = createRoute({
  method: 'get',
  path: '/v1/jobs/{job}',
  operationId: 'getJob',
  tags: ['Jobs'],
  request: { params: parameter },
  responses: { ...problems, 200: json(jobSchema, 'How far it is') },
});

const follow = createRoute({
  method: 'get',
  path: '/v1/jobs/{job}/events',
  operationId: 'followJob',
  tags: ['Jobs'],
  description:
    'Server-sent events until the job is done: `job` (its state), `progress`, `document`. They are numbered; a caller that comes back with `Last-Event-ID` gets those after it.',
  request: { params: parameter, headers: z.object({ 'last-event-id': z.string().optional() }) },
  responses: {
    ...problems,
    200: { description: 'Events', content: { 'text/event-stream': { schema: jobEventSchema } } },
  },
});

function jobNumberOf(cursor: string | undefined): number | undefined {
  const after = cursorAfter(cursor);
  if (after === undefined || /^\d{1,15}$/.test(after)) return after === undefined ? undefined : Number(after);
  throw new Problem('invalid-request', 'The cursor is not one that a page of jobs gave.');
}

export function addJobRoutes(app: NativeApp, { jobs }: NativeApiOptions): void {
  app.openapi(list, (context) => {
    const { limit, cursor } = context.req.valid('query');
    const { jobs: page, next } = jobs.list(context.env.caller.tenant, { limit, before: jobNumberOf(cursor) });
    return described(context, { jobs: page, ...(next !== undefined && { nextCursor: pageCursor(String(next)) }) });
  });
  app.openapi(get, (context) => {
    return described(context, jobs.get(context.env.caller.tenant, context.req.valid('param').job));
  });
  app.openapi(follow, (context) => {
    const { exchange, caller, requestId } = context.env;
    const { job: id } = context.req.valid('param');
    const last = context.req.header('last-event-id') ?? '0';
    if (!/^\d{1,15}$/.test(last))
      throw new Problem('invalid-request', 'Last-Event-ID is not one of the numbers of events.');
    // One that is not there is answered as such, not in the stream.
    jobs.get(caller.tenant, id);
    const events = jobs.follow(caller.tenant, id, Number(last), exchange.signal);
    const body = eventStream(events, (thrown) => problemAnswer(thrown, requestId).body.error);
    return streamed(body);
  });
}
