import type { ControlBackend, DataSourceKey, DocumentIdentifier, DocumentShape } from '@aquifer/bedrock-wire';
import type { DocumentRecord, DocumentStatus } from 'aquifer';
import { keptControlFolder, sourceIdOf } from './control-folder.js';
import type { ControlSurroundings } from './control-plane.js';
import { findDataSource, refuseDeleting } from './data-sources.js';
import { documentsAt, identifierOf, pathOf } from './document-places.js';
import type { WaitingDocument } from './waiting-documents.js';

type Operations = Pick<ControlBackend, 'ingestDocuments' | 'getDocuments' | 'listDocuments' | 'deleteDocuments'>;

const statuses: Readonly<Record<DocumentStatus, string>> = {
  pending: 'PENDING',
  indexed: 'INDEXED',
  'partially-indexed': 'PARTIALLY_INDEXED',
  failed: 'FAILED',
  ignored: 'IGNORED',
  deleting: 'DELETING',
};

/** Documents of a data source, one by one. */
export function documentOperations(surroundings: ControlSurroundings): Operations {
  const { worker, tenant, observer, now } = surroundings;

  /** What is to be shown of a document: what was asked last, else what the index has. */
  function shapeOf(
    key: DataSourceKey,
    identifier: DocumentIdentifier,
    waiting: WaitingDocument | undefined,
    record: DocumentRecord | undefined,
  ): DocumentShape {
    const shown = { ...key, identifier };
    if (waiting !== undefined) {
      const updatedAt = new Date(waiting.askedAt).toISOString();
      return { ...shown, ...waitingStatus(waiting), updatedAt };
    }
    if (record === undefined) return { ...shown, status: 'NOT_FOUND' };
    const { status, statusReason, indexedAt } = record;
    return {
      ...shown,
      status: statuses[status],
      ...(statusReason !== undefined && { statusReason }),
      updatedAt: new Date(indexedAt).toISOString(),
    };
  }

  function waitingStatus(waiting: WaitingDocument): Pick<DocumentShape, 'status' | 'statusReason'> {
    const { failure, isIgnored, operation } = waiting;
    if (failure !== undefined) return { status: isIgnored ? 'IGNORED' : 'FAILED', statusReason: failure };
    if (operation === 'delete') return { status: worker.isAt(waiting) ? 'DELETE_IN_PROGRESS' : 'DELETING' };
    return { status: worker.isAt(waiting) ? 'IN_PROGRESS' : 'STARTING' };
  }

  async function open(key: DataSourceKey) {
    const { knowledgeBase, source } = await findDataSource(surroundings, key);
    const waiting = keptControlFolder(knowledgeBase).waiting(source.dataSourceId);
    return { knowledgeBase, source, waiting };
  }

  const latestOf = (found: readonly WaitingDocument[]) =>
    new Map(found.map((each) => [JSON.stringify(each.identifier), each]));

  /** What failed before is no news any more once the document is asked for again. */
  async function forgetFailures({ source, waiting }: Awaited<ReturnType<typeof open>>, paths: ReadonlySet<string>) {
    for (const each of await waiting.list()) {
      if (each.failure !== undefined && paths.has(pathOf(source, each.identifier))) await waiting.done(each);
    }
  }

  return {
    async ingestDocuments(key, documents) {
      const opened = await open(key);
      const { knowledgeBase, source, waiting } = opened;
      refuseDeleting(source);
      const paths = documents.map(({ identifier }) => pathOf(source, identifier));
      surroundings.checkPlace(source.place);
      for (const { content } of documents) {
        if (content.type === 'object' && source.place.type !== 'S3') surroundings.checkObject(content.uri);
      }
      await observer.accessed({
        action: 'add-document',
        knowledgeBaseId: knowledgeBase.id,
        documents: paths.map((path) => ({ source: path })),
      });
      await forgetFailures(opened, new Set(paths));
      for (const document of documents) await waiting.ingest(document, now());
      worker.start(tenant, await surroundings.afterwards(knowledgeBase), source);
      const updatedAt = new Date(now()).toISOString();
      return documents.map(({ identifier }) => ({ ...key, identifier, status: 'STARTING', updatedAt }));
    },

    async deleteDocuments(key, identifiers) {
      const opened = await open(key);
      const { knowledgeBase, source, waiting } = opened;
      const paths = identifiers.map((identifier) => pathOf(source, identifier));
      const known = await documentsAt(knowledgeBase, source, paths);
      const pending = latestOf(await waiting.list());
      const isThere = (identifier: DocumentIdentifier, index: number) =>
        known.has(paths[index]!) || pending.has(JSON.stringify(identifier));
      await observer.accessed({
        action: 'delete-documents',
        knowledgeBaseId: knowledgeBase.id,
        documents: paths.map((path) => ({ source: path })),
      });
      await forgetFailures(opened, new Set(paths));
      const updatedAt = new Date(now()).toISOString();
      const shapes: DocumentShape[] = [];
      for (const [index, identifier] of identifiers.entries()) {
        if (!isThere(identifier, index)) {
          shapes.push({ ...key, identifier, status: 'NOT_FOUND' });
          continue;
        }
        await waiting.delete(identifier, now());
        shapes.push({ ...key, identifier, status: 'DELETING', updatedAt });
      }
      worker.start(tenant, await surroundings.afterwards(knowledgeBase), source);
      return shapes;
    },

    async getDocuments(key, identifiers) {
      const { knowledgeBase, source, waiting } = await open(key);
      const paths = identifiers.map((identifier) => pathOf(source, identifier));
      // First what waits: what is done in between is in the index by then.
      const pending = latestOf(await waiting.list());
      const records = await documentsAt(knowledgeBase, source, paths);
      return identifiers.map((identifier, index) =>
        shapeOf(key, identifier, pending.get(JSON.stringify(identifier)), records.get(paths[index]!)),
      );
    },

    async listDocuments(key, { limit, after }) {
      const { knowledgeBase, source, waiting } = await open(key);
      const sourceId = sourceIdOf(source.dataSourceId);
      const pending = latestOf(await waiting.list());
      const records = await knowledgeBase.reader.documents({
        sourceId,
        limit: limit + 1,
        ...(after !== undefined && { after }),
      });
      const page = records.slice(0, limit);
      const items = page
        .filter(({ parentId }) => parentId === undefined)
        .map((record) => {
          const identifier = identifierOf(source, record);
          return shapeOf(key, identifier, pending.get(JSON.stringify(identifier)), record);
        });
      // Those that are not in the index yet come before all others: there are few of them.
      if (after === undefined) {
        const paths = [...pending.values()].map(({ identifier }) => pathOf(source, identifier));
        const known = await documentsAt(knowledgeBase, source, paths);
        for (const each of pending.values()) {
          const isNew = !known.has(pathOf(source, each.identifier));
          if (isNew && each.operation === 'ingest') items.unshift(shapeOf(key, each.identifier, each, undefined));
        }
      }
      const last = page.at(-1);
      return { items, ...(records.length > limit && last && { after: last.id }) };
    },
  };
}
