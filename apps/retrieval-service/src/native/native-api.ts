import { OpenAPIHono, type z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { etag } from 'hono/etag';
import { routePath } from 'hono/route';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Caller } from '../access/access-control.js';
import type { Exchange } from '../exchange.js';
import type { KnowledgeBaseHost } from '../hosting/knowledge-base-host.js';
import type { JobLog } from '../jobs/job-log.js';
import type { RequestObservation } from '../observing/request-observer.js';
import type { SessionStore } from '../sessions/session-store.js';
import { addDocumentRoutes } from './document-routes.js';
import { addJobRoutes } from './job-routes.js';
import { addKnowledgeBaseRoutes } from './knowledge-base-routes.js';
import { addMcpRoute } from './mcp-route.js';
import { addOpenAiRoutes } from './openai-routes.js';
import { Problem, problemAnswer } from './problem.js';
import { addQuestionRoutes } from './question-routes.js';
import { ReadyAnswer } from './ready-answer.js';

export interface NativeEnvironment {
  readonly Bindings: {
    readonly exchange: Exchange;
    readonly caller: Caller;
    readonly requestId: string;
    /** Told which route it is. */
    readonly observation: RequestObservation;
    /** Whatever is done with it is observed. */
    readonly host: KnowledgeBaseHost;
  };
}

export type NativeApp = OpenAPIHono<NativeEnvironment>;
export type NativeContext = Context<NativeEnvironment>;

export interface NativeApiOptions {
  readonly jobs: JobLog;
  readonly sessions: SessionStore;
  /** Most bytes of one file that is sent. */
  readonly uploadBytes: number;
  /** Most files of one request. */
  readonly uploadFiles: number;
  /** Fires when the service ends: jobs stop at the document they are at. */
  readonly signal: AbortSignal;
  /** Told of what nobody caused from outside. */
  readonly onFailure?: (failure: { readonly requestId: string; readonly error: unknown }) => void;
  readonly version: string;
}

/**
 * The API of Aquifer's own: knowledge bases, documents, jobs, search, ask; and the document that describes it (OpenAPI 3.1), made of the schemas that check
 * requests.
 */
export function createNativeApi(options: NativeApiOptions): NativeApp {
  const app: NativeApp = new OpenAPIHono<NativeEnvironment>({
    defaultHook: (result) => {
      if (!result.success) throw new Problem('invalid-request', describeIssues(result.error));
    },
  });
  app.use(async (context, next) => {
    await next();
    const route = routePath(context, -1);
    if (!route.endsWith('*')) context.env.observation.isOf(`${context.req.method} ${route}`);
  });
  // Of what is asked with a body nobody keeps a copy, and a digest of it would take longer than the rest of the answer.
  app.on('GET', ['/v1/knowledge-bases/*', '/openapi.json'], etag());
  addKnowledgeBaseRoutes(app);
  addDocumentRoutes(app, options);
  addJobRoutes(app, options);
  addQuestionRoutes(app, options);
  addOpenAiRoutes(app);
  addMcpRoute(app, options);
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.get('/openapi.json', (context) => context.json(openApiDocument(app, options.version)));
  app.notFound((context) => {
    const { requestId } = context.env;
    const message = `There is no ${context.req.method} ${context.req.path}: GET /openapi.json lists what there is.`;
    return answerProblem(context, problemAnswer(new Problem('not-found', message), requestId));
  });
  app.onError((thrown, context) => {
    const { requestId } = context.env;
    const problem = problemAnswer(routerProblem(thrown), requestId);
    if (problem.status === 500) options.onFailure?.({ requestId, error: thrown });
    return answerProblem(context, problem);
  });
  return app;
}

/** The routes as OpenAPI 3.1 describes them. */
export function openApiDocument(app: NativeApp, version: string): object {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Aquifer',
      version,
      description: 'Documents, searched and asked.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, {}],
  });
}

function answerProblem(context: NativeContext, { status, body, retryAfterSeconds }: ReturnType<typeof problemAnswer>) {
  return context.json(
    body,
    status,
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
  );
}

/** What the router itself refuses, it reports as an exception of its own. */
function routerProblem(thrown: unknown): unknown {
  const { status, message } = thrown as { status?: number; message?: string };
  if (status === 400) return new Problem('invalid-request', message ?? 'The request cannot be read.');
  if (status === 415) {
    return new Problem(
      'unsupported-media-type',
      'The Content-Type is not one that is taken here: GET /openapi.json lists them.',
    );
  }
  return thrown;
}

/** The first five things that are wrong, with the place of each. */
function describeIssues(error: { readonly issues: readonly z.core.$ZodIssue[] }): string {
  const described = error.issues.slice(0, 5).map(({ path, message }) => {
    return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
  });
  return `The request is not valid. ${described.join('; ')}.`;
}

/** An answer of the library's own objects, which the schema of the route describes. */
export function described(
  context: NativeContext,
  body: unknown,
  status: ContentfulStatusCode = 200,
  headers?: Record<string, string>,
): never {
  // An entity tag is made of the content of a response.
  if (context.req.method === 'GET') return context.json(body as object, status, headers) as never;
  return new ReadyAnswer(JSON.stringify(body), status, { 'content-type': 'application/json', ...headers }) as never;
}
