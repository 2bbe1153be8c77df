import { estimateTokens } from '@aquifer/text-analysis';
import type { AnswerEvent, IndexOptions, KnowledgeBase, SearchMatch, SearchUsage } from 'aquifer';
import { type ExternalDocuments, externalDocumentsId } from '../hosting/external-documents.js';
import type { HostedKnowledgeBase, KnowledgeBaseHost, ReadableKnowledgeBase } from '../hosting/knowledge-base-host.js';
import type { UploadFolder } from '../uploads/upload-folder.js';
import type { RequestObserver, UsageObserver } from './request-observer.js';

/** Whatever interface a request came by: what it does with knowledge bases is seen here. */
export function observedHost(host: KnowledgeBaseHost, observer: RequestObserver): KnowledgeBaseHost {
  const observed = (hosted: HostedKnowledgeBase): HostedKnowledgeBase => {
    const { id, reader, uploads, write, indexFolder } = hosted;
    return {
      ...hosted,
      reader: observedReader(id, reader, observer),
      ...(uploads && { uploads: observedUploads(id, uploads, observer) }),
      write: (use) => write((opened) => use(observedWriter(id, meteredWriter(opened, observer), observer))),
      indexFolder: (run, options) => indexFolder(run, metered(options, observer)),
    };
  };
  return {
    ...host,
    get: async (tenant, idOrName) => observed(await host.get(tenant, idOrName)),
    async create(tenant, wanted) {
      const made = await host.create(tenant, wanted);
      await observer.accessed({ action: 'create-knowledge-base', knowledgeBaseId: made.id });
      return observed(made);
    },
    async delete(tenant, idOrName) {
      const { id } = await host.get(tenant, idOrName);
      await observer.accessed({ action: 'delete-knowledge-base', knowledgeBaseId: id });
      await host.delete(tenant, idOrName);
    },
  };
}

/** What embedding documents takes is counted, also in work that outlives the request that asked for it. */
export function meteredKnowledgeBase(hosted: HostedKnowledgeBase, observer: UsageObserver): HostedKnowledgeBase {
  const { write, indexFolder } = hosted;
  return {
    ...hosted,
    write: (use) => write((opened) => use(meteredWriter(opened, observer))),
    indexFolder: (run, options) => indexFolder(run, metered(options, observer)),
  };
}

function meteredWriter(opened: KnowledgeBase, observer: UsageObserver): KnowledgeBase {
  return { ...opened, index: (what, options = {}) => opened.index(what, metered(options, observer)) };
}

function metered<Options extends Pick<IndexOptions, 'onEmbedded'>>(options: Options, observer: UsageObserver): Options {
  return {
    ...options,
    onEmbedded(usage) {
      observer.embedded(usage);
      options.onEmbedded?.(usage);
    },
  };
}

/** As {@link observedHost}, for documents that come with their question. */
export function observedExternalDocuments(documents: ExternalDocuments, observer: RequestObserver): ExternalDocuments {
  return {
    ...documents,
    async open(document, signal) {
      const { ask, close } = await documents.open(document, signal, observer.embedded);
      return {
        ask: (question, options) => observedAnswer(externalDocumentsId, question, ask(question, options), observer),
        close,
      };
    },
  };
}

function observedReader(
  knowledgeBaseId: string,
  reader: ReadableKnowledgeBase,
  observer: RequestObserver,
): ReadableKnowledgeBase {
  return {
    ...reader,
    async search(query, options) {
      const found = await reader.search(query, options);
      observer.timed(stagesOf(found.ms));
      searched(found.usage, observer);
      await observer.accessed({ action: 'search', knowledgeBaseId, ...foundBy(query, found.matches) });
      return found;
    },
    async explain(query, documentId, options) {
      const found = await reader.explain(query, documentId, options);
      searched(found.usage, observer);
      await observer.accessed({ action: 'explain', knowledgeBaseId, documents: [{ id: documentId }], text: { query } });
      return found;
    },
    ask: (question, options) => observedAnswer(knowledgeBaseId, question, reader.ask(question, options), observer),
    async embed(texts, options) {
      const embedded = await reader.embed(texts, options);
      observer.took({ model: embedded.model, inputTokens: embedded.tokens, outputTokens: 0 });
      return embedded;
    },
    async documents(query) {
      const found = await reader.documents(query);
      const documents = found.map(({ id, source }) => ({ id, source }));
      await observer.accessed({ action: 'list-documents', knowledgeBaseId, documents });
      return found;
    },
    async document(id) {
      const found = await reader.document(id);
      await observer.accessed({ action: 'read-document', knowledgeBaseId, documents: [{ id, source: found.source }] });
      return found;
    },
  };
}

async function* observedAnswer(
  knowledgeBaseId: string,
  question: string,
  events: AsyncIterable<AnswerEvent>,
  observer: RequestObserver,
): AsyncGenerator<AnswerEvent> {
  let given = '';
  let said = '';
  let isWhole = false;
  let model = 'unknown';
  let searchUsd = 0;
  try {
    for await (const event of events) {
      if (event.type === 'search') {
        const { search, considered } = event;
        observer.timed(stagesOf(search.ms));
        searched(search.usage, observer);
        searchUsd = search.costUsd ?? 0;
        const ranks = new Set(considered.map(({ rank }) => rank));
        given = search.matches.flatMap(({ rank, text }) => (ranks.has(rank) ? [text] : [])).join('\n');
        await observer.accessed({ action: 'ask', knowledgeBaseId, ...foundBy(question, search.matches) });
      } else if (event.type === 'text') {
        said += event.text;
      } else if (event.type === 'answer') {
        const { usage, ms, answer, citations } = event.answer;
        model = event.answer.model;
        observer.took({ model, ...usage, ...withoutSearch(usage.costUsd, searchUsd) });
        isWhole = true;
        observer.timed({ pack: ms.pack, generate: ms.generate, firstText: ms.firstText });
        const cited = citations.flatMap(({ references }) => references);
        await observer.accessed({
          action: 'answer',
          knowledgeBaseId,
          documents: eachOnce(cited),
          text: { answer },
        });
      }
      yield event;
    }
  } finally {
    // The model has worked for who breaks off, too; how much it does not say then.
    if (!isWhole && said !== '') {
      const inputTokens = estimateTokens(question) + estimateTokens(given);
      observer.took({ model, inputTokens, outputTokens: estimateTokens(said) });
    }
  }
}

function searched(usage: readonly SearchUsage[] | undefined, observer: UsageObserver): void {
  if (usage === undefined) return;
  for (const { tokens, ...taken } of usage) observer.took({ ...taken, inputTokens: tokens, outputTokens: 0 });
}

/** What an answer cost holds what its search did, which is counted by then. */
function withoutSearch(costUsd: number | undefined, searchUsd: number): { readonly costUsd?: number } {
  return costUsd === undefined ? {} : { costUsd: Math.max(0, costUsd - searchUsd) };
}

function observedUploads(knowledgeBaseId: string, uploads: UploadFolder, observer: RequestObserver): UploadFolder {
  return {
    ...uploads,
    async keep(file) {
      await observer.accessed({ action: 'add-document', knowledgeBaseId, documents: [{ source: file.name }] });
      return uploads.keep(file);
    },
  };
}

function observedWriter(knowledgeBaseId: string, opened: KnowledgeBase, observer: RequestObserver): KnowledgeBase {
  return {
    ...opened,
    async delete(ids, options) {
      const documents = ids.map((id) => ({ id }));
      await observer.accessed({ action: 'delete-documents', knowledgeBaseId, documents });
      return opened.delete(ids, options);
    },
  };
}

function foundBy(query: string, matches: readonly SearchMatch[]) {
  const passages = matches.map(({ documentId, start, text }) => ({ documentId, start, text }));
  return { documents: eachOnce(matches), text: { query, passages } };
}

function eachOnce(places: readonly { readonly documentId: string; readonly source: string }[]) {
  const sources = new Map(places.map(({ documentId, source }) => [documentId, source]));
  return [...sources].map(([id, source]) => ({ id, source }));
}

/** Without the sum of the others. */
function stagesOf(ms: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(ms).filter(
      (entry): entry is [string, number] => entry[0] !== 'total' && typeof entry[1] === 'number',
    ),
  );
}
