import { createRoute } from '@hono/zod-openapi';
import { pageOfNamed } from '../control/pages.js';
import { described, type NativeApp } from './native-api.js';
import { cursorAfter, pageCursor, pageQuerySchema } from './page-cursor.js';
import { json, knowledgeBaseParameter, problems } from './responses.js';
import { identitySchema, knowledgeBaseListSchema, newKnowledgeBaseSchema, statusSchema } from './schemas.js';

const path = '/v1/knowledge-bases';
const onePath = `${path}/{knowledgeBase}` as const;

const list = createRoute({
  method: 'get',
  path,
  operationId: 'listKnowledgeBases',
  tags: ['Knowledge bases'],
  request: { query: pageQuerySchema },
  responses: { ...problems, 200: json(knowledgeBaseListSchema, 'A page of those of the caller, in order of name') },
});

const create = createRoute({
  method: 'post',
  path,
  operationId: 'createKnowledgeBase',
  tags: ['Knowledge bases'],
  request: { body: { required: true, content: { 'application/json': { schema: newKnowledgeBaseSchema } } } },
  responses: { ...problems, 201: json(identitySchema, 'Made') },
});

const get = createRoute({
  method: 'get',
  path: onePath,
  operationId: 'getKnowledgeBase',
  tags: ['Knowledge bases'],
  request: { params: knowledgeBaseParameter },
  responses: { ...problems, 200: json(statusSchema, 'Documents, chunks, embedder, index') },
});

const remove = createRoute({
  method: 'delete',
  path: onePath,
  operationId: 'deleteKnowledgeBase',
  tags: ['Knowledge bases'],
  description: 'Its index and the files that were sent to it, for good. Folders that were indexed stay as they are.',
  request: { params: knowledgeBaseParameter },
  responses: { ...problems, 204: { description: 'Deleted' } },
});

export function addKnowledgeBaseRoutes(app: NativeApp): void {
  app.openapi(list, async (context) => {
    const { host, caller } = context.env;
    const { limit, cursor } = context.req.valid('query');
    const after = cursorAfter(cursor);
    const page = pageOfNamed(await host.list(caller.tenant), { limit, ...(after !== undefined && { after }) });
    return described(context, {
      knowledgeBases: page.items,
      ...(page.after !== undefined && { nextCursor: pageCursor(page.after) }),
    });
  });
  app.openapi(create, async (context) => {
    const { host, caller } = context.env;
    const { id, name } = await host.create(caller.tenant, context.req.valid('json'));
    return described(context, { id, name }, 201, { location: `${path}/${id}` });
  });
  app.openapi(get, async (context) => {
    const { host, caller } = context.env;
    const { reader, id, name } = await host.get(caller.tenant, context.req.valid('param').knowledgeBase);
    // Where the index is on the disk is nobody's business out there.
    return described(context, { ...(await reader.status()), knowledgeBase: { id, name } });
  });
  app.openapi(remove, async (context) => {
    const { host, caller } = context.env;
    await host.delete(caller.tenant, context.req.valid('param').knowledgeBase);
    return context.body(null, 204) as never;
  });
}
