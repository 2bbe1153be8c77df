import type { ExternalDocument } from '@aquifer/bedrock-wire';
import { AquiferError, isAquiferError, throwIfAborted } from '@aquifer/contracts';
import {
  createMemorySource,
  type IndexOptions,
  type KnowledgeBase,
  type KnowledgeBaseOptions,
  type MemoryDocument,
  openTemporaryKnowledgeBase,
  readObject,
} from 'aquifer';
import { isAllowedObject } from './allowed-objects.js';
import { createTurns } from './turns.js';

/** What stands for the knowledge base of a document that comes with its question, in sessions and the audit log. */
export const externalDocumentsId = 'external';

/** Bedrock's limit for a document that is sent, which holds for objects too. */
const mostBytes = 10_485_760;

export interface ExternalDocumentsOptions {
  /** How documents are read, and how models and buckets are reached. */
  readonly knowledgeBase?: Pick<
    KnowledgeBaseOptions,
    'models' | 'readTimeoutMs' | 'readMemoryMb' | 'ocr' | 'ocrLanguages' | 'passwords' | 's3'
  >;
  /** Objects, and prefixes of objects, that requests may name, such as `s3://handbook/public`. Default: none. */
  readonly allowedObjects?: readonly string[];
}

/** Makes documents of requests answerable. */
export interface ExternalDocuments {
  /**
   * A knowledge base of this document alone. It is gone when it is closed, or as soon as the signal fires.
   *
   * @throws `invalid-options` for what cannot be read and for an object that requests may not name, `aborted`, and what a bucket fails with
   */
  open(
    document: ExternalDocument,
    signal?: AbortSignal,
    onEmbedded?: IndexOptions['onEmbedded'],
  ): Promise<Pick<KnowledgeBase, 'ask' | 'close'>>;
  /** Removes those that are still there. */
  close(): Promise<void>;
}

export function createExternalDocuments(options: ExternalDocumentsOptions = {}): ExternalDocuments {
  const { knowledgeBase: reading = {}, allowedObjects = [] } = options;
  // Reading one document takes a thread and its memory: requests wait for each other, not for the answers.
  const takeTurn = createTurns();
  const open = new Set<() => Promise<void>>();

  async function fetched(document: ExternalDocument, signal: AbortSignal | undefined): Promise<MemoryDocument> {
    if (document.type === 'bytes') {
      return { path: document.identifier, bytes: document.bytes, mediaType: document.contentType };
    }
    const { uri } = document;
    if (!isAllowedObject(uri, allowedObjects)) {
      throw new AquiferError(
        'invalid-options',
        allowedObjects.length === 0
          ? 'Sources of the type S3 are not supported here: send the document as BYTE_CONTENT, or start the service with --external-sources s3://bucket/prefix.'
          : `The service may not read ${uri} for a request: it is not below any of the addresses of --external-sources.`,
      );
    }
    const bytes = await readObject(uri, { maxBytes: mostBytes, s3: reading.s3, signal });
    return { path: uri.slice(uri.lastIndexOf('/') + 1) || uri, bytes, uri };
  }

  async function index(
    knowledgeBase: KnowledgeBase,
    document: MemoryDocument,
    options: Pick<IndexOptions, 'signal' | 'onEmbedded'>,
  ) {
    const source = createMemorySource({ id: externalDocumentsId, documents: [document] });
    await knowledgeBase.index(source, options);
    const [read] = await knowledgeBase.documents({ limit: 1 });
    if (read?.status === 'indexed' || read?.status === 'partially-indexed') return;
    const reason = read?.statusReason ?? 'there is no reader for such a file.';
    throw new AquiferError('invalid-options', `The document ${document.path} cannot be read: ${reason}`);
  }

  return {
    async open(document, signal, onEmbedded) {
      const content = await fetched(document, signal).catch((error: unknown) => {
        // Whoever asked has named it: the request is wrong, not the service.
        if (!isAquiferError(error, 'source-not-found')) throw error;
        throw new AquiferError('invalid-options', error.message, { cause: error });
      });
      return takeTurn(async () => {
        throwIfAborted(signal);
        const opened = await openTemporaryKnowledgeBase({ ...reading, threads: 1, maxFileMb: mostBytes / 2 ** 20 });
        let closing: Promise<void> | undefined;
        const close = () => {
          signal?.removeEventListener('abort', closeAtOnce);
          closing ??= opened.close().finally(() => open.delete(close));
          return closing;
        };
        open.add(close);
        // A caller who goes away may never read the answer to its end.
        const closeAtOnce = () => void close().catch(() => {});
        try {
          await index(opened, content, { ...(signal && { signal }), ...(onEmbedded && { onEmbedded }) });
        } catch (error) {
          await close();
          throw error;
        }
        signal?.addEventListener('abort', closeAtOnce, { once: true });
        if (signal?.aborted) closeAtOnce();
        return { ask: opened.ask, close };
      });
    },
    async close() {
      await Promise.all([...open].map((close) => close()));
    },
  };
}
