import { createHash } from 'node:crypto';
import { ReadableStream } from 'node:stream/web';
import { AquiferError, isAquiferError } from '@aquifer/contracts';
import { createRoute, z } from '@hono/zod-openapi';
import { isForm } from '../exchange.js';
import type { HostedKnowledgeBase } from '../hosting/knowledge-base-host.js';
import { startIndexingUploads } from '../jobs/index-uploads.js';
import type { Job } from '../jobs/job-log.js';
import { receiveFiles } from '../uploads/receive-files.js';
import { openOriginal, type UploadFolder } from '../uploads/upload-folder.js';
import { createIdempotentAnswers, type RepeatableRequest } from './idempotent-answers.js';
import { described, type NativeApiOptions, type NativeApp, type NativeContext } from './native-api.js';
import { cursorAfter, pageCursor } from './page-cursor.js';
import { Problem } from './problem.js';
import { documentParameters, json, knowledgeBaseParameter, problems } from './responses.js';
import {
  documentListQuerySchema,
  documentListSchema,
  inlineDocumentsSchema,
  uploadedSchema,
  wholeDocumentSchema,
} from './schemas.js';

const path = '/v1/knowledge-bases/{knowledgeBase}/documents' as const;
const onePath = `${path}/{document}` as const;
const tags = ['Documents'];

const list = createRoute({
  method: 'get',
  path,
  operationId: 'listDocuments',
  tags,
  request: { params: knowledgeBaseParameter, query: documentListQuerySchema },
  responses: { ...problems, 200: json(documentListSchema, 'A page, in order of id') },
});

/** Plain, because what is a plain schema is not checked: files go to the disk as they come. */
const form = {
  type: 'object' as const,
  properties: {
    metadata: { type: 'string' as const, description: 'JSON, such as {"country": "JP"}; holds for the files after it' },
    file: { type: 'array' as const, items: { type: 'string' as const, format: 'binary' } },
  },
};

const upload = createRoute({
  method: 'post',
  path,
  operationId: 'addDocuments',
  tags,
  description:
    'Files (`multipart/form-data`; a field `metadata` of JSON holds for the files after it) or texts (`application/json`). A name that is there already is replaced. ' +
    'With the same `Idempotency-Key`, a request that is sent again is answered as the first was, and does nothing; another request is refused.',
  request: {
    params: knowledgeBaseParameter,
    headers: z.object({ 'idempotency-key': z.string().min(1).max(255).optional() }),
    // Checked where it is JSON; a form is read by the route itself.
    body: {
      content: { 'application/json': { schema: inlineDocumentsSchema }, 'multipart/form-data': { schema: form } },
    },
  },
  responses: { ...problems, 202: json(uploadedSchema, 'Kept; the job indexes them') },
});

const get = createRoute({
  method: 'get',
  path: onePath,
  operationId: 'getDocument',
  tags,
  request: { params: documentParameters },
  responses: { ...problems, 200: json(wholeDocumentSchema, 'With its text and chunks') },
});

const remove = createRoute({
  method: 'delete',
  path: onePath,
  operationId: 'deleteDocument',
  tags,
  description: 'From the index; the original too, where it was sent to the service.',
  request: { params: documentParameters },
  responses: { ...problems, 204: { description: 'Deleted' } },
});

const content = createRoute({
  method: 'get',
  path: `${onePath}/content`,
  operationId: 'getContent',
  tags,
  description:
    'The original file as it was indexed, or the text that was extracted from it, whose offsets are those of citations.',
  request: {
    params: documentParameters,
    query: z.object({ as: z.enum(['original', 'text']).default('original') }),
  },
  responses: {
    ...problems,
    200: {
      description: 'Bytes',
      content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
    },
  },
});

/** Kinds that a browser may show; nothing in any of them is run (see the policy that goes with it). */
const shownInline = /^(application\/pdf|image\/(png|jpeg|gif|webp)|text\/plain)\b/;

/** What is in a file is other people's: it gets no scripts, no origin and no requests. */
const contained = {
  'content-security-policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};

interface Refused {
  readonly name: string;
  readonly reason: string;
}

interface Uploaded {
  readonly job: Job;
  readonly kept: readonly string[];
  readonly refused: readonly Refused[];
}

/** For who only reads what is sent. */
const nowhere: Pick<UploadFolder, 'keep'> = { keep: async () => '' };

export function addDocumentRoutes(app: NativeApp, options: NativeApiOptions): void {
  const { jobs, signal, uploadBytes, uploadFiles } = options;
  const idempotent = createIdempotentAnswers<Uploaded>();

  const find = ({ env: { host, caller } }: NativeContext, idOrName: string) => host.get(caller.tenant, idOrName);

  const startJob = (tenant: string, knowledgeBase: HostedKnowledgeBase, paths: readonly string[]): Job =>
    startIndexingUploads(jobs, tenant, knowledgeBase, { paths, signal });

  app.openapi(list, async (context) => {
    const { limit, cursor, status } = context.req.valid('query');
    const { reader } = await find(context, context.req.valid('param').knowledgeBase);
    const after = cursorAfter(cursor);
    const documents = await reader.documents({ limit: limit + 1, ...(after && { after }), ...(status && { status }) });
    const page = documents.slice(0, limit);
    const last = page.at(-1);
    return described(context, {
      documents: page,
      ...(documents.length > limit && last && { nextCursor: pageCursor(last.id) }),
    });
  });

  app.openapi(upload, async (context) => {
    const { exchange, caller } = context.env;
    const knowledgeBase = await find(context, context.req.valid('param').knowledgeBase);
    const { uploads, id } = knowledgeBase;
    if (uploads === undefined) {
      throw new AquiferError(
        'index-read-only',
        'This service takes no documents: it was started without a folder for them.',
      );
    }
    /** What no reader takes would lie there for good: it becomes no document, by whose id it could be deleted. */
    const readable: Pick<UploadFolder, 'keep'> = {
      async keep(file) {
        const reason = await knowledgeBase.reader.whyUnread(file.name);
        if (reason !== undefined) throw new AquiferError('unsupported-format', reason);
        return uploads.keep(file);
      },
    };
    const started = (paths: readonly string[], { kept, refused }: Omit<Uploaded, 'job'>): Uploaded => {
      const [first] = refused;
      if (paths.length > 0) return { job: startJob(caller.tenant, knowledgeBase, paths), kept, refused };
      throw new Problem(
        'invalid-request',
        first ? `No file was taken. ${first.name}: ${first.reason}` : 'The form holds no file.',
      );
    };
    const key = context.req.header('idempotency-key');
    const receive = (folder: Pick<UploadFolder, 'keep'>) => {
      const { headers } = exchange;
      const limits = { fileBytes: uploadBytes, files: uploadFiles };
      return receiveFiles({ headers, body: exchange.openBody(), folder, ...limits, digests: key !== undefined });
    };
    const ofFiles: RepeatableRequest<Uploaded> = {
      async act() {
        const { paths, digest, ...received } = await receive(readable);
        return { answer: started(paths, received), digest };
      },
      digest: async () => (await receive(nowhere)).digest,
    };
    const ofTexts: RepeatableRequest<Uploaded> = {
      async act() {
        // The router cannot tell that a body that is no form is JSON.
        const { documents } = context.req.valid('json' as never) as z.infer<typeof inlineDocumentsSchema>;
        const [paths, kept, refused]: [string[], string[], Refused[]] = [[], [], []];
        for (const { name, text, metadata } of documents) {
          try {
            const file = { name, content: text, limit: uploadBytes, ...(metadata && { metadata }) };
            paths.push(await readable.keep(file));
            kept.push(name);
          } catch (error) {
            if (!isAquiferError(error)) throw error;
            refused.push({ name, reason: error.message });
          }
        }
        return { answer: started(paths, { kept, refused }), digest: await ofTexts.digest() };
      },
      digest: async () =>
        createHash('sha256')
          .update(await context.req.text())
          .digest('hex'),
    };
    const request = isForm(context.req.header('content-type')) ? ofFiles : ofTexts;
    const answer =
      key === undefined ? (await request.act()).answer : await idempotent(`${caller.tenant} ${id} ${key}`, request);
    return described(context, answer, 202, { location: `/v1/jobs/${answer.job.id}` });
  });

  app.openapi(get, async (context) => {
    const { knowledgeBase, document } = context.req.valid('param');
    const { reader } = await find(context, knowledgeBase);
    return described(context, await reader.document(document));
  });

  app.openapi(remove, async (context) => {
    const { knowledgeBase, document } = context.req.valid('param');
    const { reader, write, uploads } = await find(context, knowledgeBase);
    const { uri } = await reader.document(document);
    // First the file: an index run in between would bring the document back.
    if (uploads?.holds(uri)) await uploads.remove(uri);
    await write((opened) => opened.delete([document]));
    return context.body(null, 204) as never;
  });

  app.openapi(content, async (context) => {
    const { knowledgeBase, document: id } = context.req.valid('param');
    const { reader } = await find(context, knowledgeBase);
    const document = await reader.document(id);
    if (context.req.valid('query').as === 'text') {
      return context.body(document.content.text, 200, {
        ...contained,
        'content-type': 'text/plain; charset=utf-8',
      }) as never;
    }
    const { bytes, stream } = await openOriginal(document);
    const name = document.source.split('/').at(-1) ?? 'document';
    const placement = shownInline.test(document.mediaType) ? 'inline' : 'attachment';
    // Not `Readable.toWeb`: in Node 20 that throws where nobody catches it when a caller goes away while a chunk is being read.
    return context.body(ReadableStream.from(stream()) as globalThis.ReadableStream<Uint8Array>, 200, {
      ...contained,
      'content-type': document.mediaType,
      'content-length': String(bytes),
      'content-disposition': `${placement}; filename*=UTF-8''${encodeURIComponent(name)}`,
      etag: `"${document.contentHash}"`,
    }) as never;
  });
}
