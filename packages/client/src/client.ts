import type {
  Answer,
  AnswerEvent,
  AskRequest,
  Document,
  DocumentList,
  ExplainRequest,
  Explanation,
  InlineDocuments,
  Job,
  JobEvent,
  JobList,
  KnowledgeBaseIdentity,
  KnowledgeBaseList,
  KnowledgeBaseStatus,
  Metadata,
  NewKnowledgeBase,
  SearchRequest,
  SearchResponse,
  Uploaded,
  WholeDocument,
} from './api.js';
import { readEvents } from './event-stream.js';
import { errorOf, ServiceError } from './service-error.js';

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8420`. In a browser the default is where the page comes from. */
  readonly baseUrl?: string;
  /** The secret of a key, where the service needs one; asked for with each request, so it may change. */
  readonly key?: string | (() => string | undefined);
  /** Instead of the runtime's own. */
  readonly fetch?: typeof fetch;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

export interface NamedFile {
  readonly name: string;
  readonly content: Blob;
}

/** The operations of the service. Everything rejects with a {@link ServiceError}, or with the reason of the signal. */
export interface Client {
  /** All of them, in order of name, page by page. */
  listKnowledgeBases(options?: RequestOptions): Promise<readonly KnowledgeBaseIdentity[]>;
  createKnowledgeBase(wanted: NewKnowledgeBase, options?: RequestOptions): Promise<KnowledgeBaseIdentity>;
  /** @param knowledgeBase here and below: its id, or its name. */
  getKnowledgeBase(knowledgeBase: string, options?: RequestOptions): Promise<KnowledgeBaseStatus>;
  deleteKnowledgeBase(knowledgeBase: string, options?: RequestOptions): Promise<void>;
  listDocuments(
    knowledgeBase: string,
    options?: RequestOptions & {
      readonly limit?: number;
      readonly cursor?: string;
      readonly status?: Document['status'];
    },
  ): Promise<DocumentList>;
  /** Files, streamed from where they are; or texts in one request. */
  addDocuments(
    knowledgeBase: string,
    documents: { readonly files: readonly NamedFile[]; readonly metadata?: Metadata } | InlineDocuments,
    options?: RequestOptions & { readonly idempotencyKey?: string },
  ): Promise<Uploaded>;
  getDocument(knowledgeBase: string, document: string, options?: RequestOptions): Promise<WholeDocument>;
  deleteDocument(knowledgeBase: string, document: string, options?: RequestOptions): Promise<void>;
  /** The file as it was indexed, or the text that was extracted. */
  getContent(
    knowledgeBase: string,
    document: string,
    options?: RequestOptions & { readonly as?: 'original' | 'text' },
  ): Promise<Blob>;
  listJobs(options?: RequestOptions & { readonly limit?: number; readonly cursor?: string }): Promise<JobList>;
  getJob(job: string, options?: RequestOptions): Promise<Job>;
  /** What happened so far, then what happens, until the job is done. A connection that breaks off is taken up where it was. */
  followJob(job: string, options?: RequestOptions): AsyncIterable<JobEvent>;
  search(knowledgeBase: string, request: SearchRequest, options?: RequestOptions): Promise<SearchResponse>;
  explain(knowledgeBase: string, request: ExplainRequest, options?: RequestOptions): Promise<Explanation>;
  /** The whole answer. */
  ask(knowledgeBase: string, request: AskRequest, options?: RequestOptions): Promise<Answer>;
  /** The answer as it is made: `search`, then `text` and `citation`, last `answer`. A model that fails in the middle throws, after `interrupted`. */
  askStreaming(knowledgeBase: string, request: AskRequest, options?: RequestOptions): AsyncIterable<AnswerEvent>;
}

/** A connection that breaks off this often without an event in between is given up. */
const mostReconnections = 5;

/**
 * A client of the retrieval service, for browsers and Node.
 *
 * @example
 * const client = createClient({ baseUrl: 'http://127.0.0.1:8420' });
 * for await (const event of client.askStreaming('default', { question: 'How long is parental leave?' })) {
 *   if (event.event === 'text') process.stdout.write(event.data.text);
 * }
 */
export function createClient(options: ClientOptions = {}): Client {
  const { baseUrl = '', key } = options;
  const send = options.fetch ?? ((input, init) => fetch(input, init));

  async function request(
    method: string,
    path: string,
    details: {
      signal?: AbortSignal;
      json?: unknown;
      form?: FormData;
      headers?: Record<string, string>;
    } = {},
  ): Promise<Response> {
    const secret = typeof key === 'function' ? key() : key;
    const { signal, json, form, headers } = details;
    let response: Response;
    try {
      response = await send(`${baseUrl}${path}`, {
        method,
        signal: signal ?? null,
        headers: {
          ...(secret && { authorization: `Bearer ${secret}` }),
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        body: json === undefined ? (form ?? null) : JSON.stringify(json),
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ServiceError('unreachable', `The service at ${baseUrl || 'this address'} cannot be reached.`, {
        cause,
      });
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  const result = async <Result>(...of: Parameters<typeof request>) => (await (await request(...of)).json()) as Result;
  const base = (knowledgeBase: string) => `/v1/knowledge-bases/${encodeURIComponent(knowledgeBase)}`;
  const one = (knowledgeBase: string, document: string) =>
    `${base(knowledgeBase)}/documents/${encodeURIComponent(document)}`;

  return {
    async listKnowledgeBases({ signal } = {}) {
      const found: KnowledgeBaseIdentity[] = [];
      for (let cursor: string | undefined; ; ) {
        const path = `/v1/knowledge-bases${queryOf({ limit: 1_000, cursor })}`;
        const page = await result<KnowledgeBaseList>('GET', path, { signal });
        found.push(...page.knowledgeBases);
        cursor = page.nextCursor;
        if (cursor === undefined) return found;
      }
    },
    createKnowledgeBase: (wanted, { signal } = {}) => result('POST', '/v1/knowledge-bases', { json: wanted, signal }),
    getKnowledgeBase: (knowledgeBase, { signal } = {}) => result('GET', base(knowledgeBase), { signal }),
    async deleteKnowledgeBase(knowledgeBase, { signal } = {}) {
      await request('DELETE', base(knowledgeBase), { signal });
    },
    listDocuments: (knowledgeBase, { signal, ...query } = {}) =>
      result('GET', `${base(knowledgeBase)}/documents${queryOf(query)}`, { signal }),
    addDocuments(knowledgeBase, documents, { signal, idempotencyKey } = {}) {
      const headers: Record<string, string> = idempotencyKey ? { 'idempotency-key': idempotencyKey } : {};
      const path = `${base(knowledgeBase)}/documents`;
      if ('documents' in documents) return result('POST', path, { json: documents, headers, signal });
      const form = new FormData();
      if (documents.metadata) form.append('metadata', JSON.stringify(documents.metadata));
      for (const { name, content } of documents.files) form.append('file', content, name);
      return result('POST', path, { form, headers, signal });
    },
    getDocument: (knowledgeBase, document, { signal } = {}) => result('GET', one(knowledgeBase, document), { signal }),
    async deleteDocument(knowledgeBase, document, { signal } = {}) {
      await request('DELETE', one(knowledgeBase, document), { signal });
    },
    async getContent(knowledgeBase, document, { signal, as = 'original' } = {}) {
      return (await request('GET', `${one(knowledgeBase, document)}/content?as=${as}`, { signal })).blob();
    },
    listJobs: ({ signal, ...query } = {}) => result('GET', `/v1/jobs${queryOf(query)}`, { signal }),
    getJob: (job, { signal } = {}) => result('GET', `/v1/jobs/${encodeURIComponent(job)}`, { signal }),
    async *followJob(job, { signal } = {}) {
      const path = `/v1/jobs/${encodeURIComponent(job)}/events`;
      let last: string | undefined;
      for (let attempt = 0; ; attempt++) {
        let isDone = false;
        try {
          const headers: Record<string, string> = last === undefined ? {} : { 'last-event-id': last };
          const { body } = await request('GET', path, { headers, signal });
          for await (const { id, event, data } of readEvents(body!)) {
            last = id;
            attempt = 0;
            const parsed = { event, data: JSON.parse(data) } as JobEvent;
            if (parsed.event === 'job') isDone = !['queued', 'running'].includes(parsed.data.status);
            yield parsed;
          }
          if (isDone) return;
        } catch (error) {
          signal?.throwIfAborted();
          const isRefusal = error instanceof ServiceError && error.code !== 'unreachable';
          if (isRefusal || attempt >= mostReconnections) throw error;
        }
        if (attempt >= mostReconnections) {
          throw new ServiceError('unreachable', `The events of the job ${job} broke off again and again.`);
        }
        await pause(250 * 2 ** attempt, signal);
      }
    },
    search: (knowledgeBase, wanted, { signal } = {}) =>
      result('POST', `${base(knowledgeBase)}/search`, { json: wanted, signal }),
    explain: (knowledgeBase, wanted, { signal } = {}) =>
      result('POST', `${base(knowledgeBase)}/explain`, { json: wanted, signal }),
    ask: (knowledgeBase, wanted, { signal } = {}) =>
      result('POST', `${base(knowledgeBase)}/ask`, { json: wanted, signal }),
    async *askStreaming(knowledgeBase, wanted, { signal } = {}) {
      const headers = { accept: 'text/event-stream' };
      const { body } = await request('POST', `${base(knowledgeBase)}/ask`, { json: wanted, headers, signal });
      let isWhole = false;
      for await (const { event, data } of readEvents(body!)) {
        const parsed = { event, data: JSON.parse(data) } as AnswerEvent;
        if (parsed.event === 'error') {
          const { code, message, requestId } = parsed.data;
          throw new ServiceError(code, message, { status: 200, requestId });
        }
        isWhole ||= parsed.event === 'answer';
        yield parsed;
      }
      if (!isWhole) throw new ServiceError('unreachable', 'The answer broke off before it was whole.');
    },
  };
}

function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
