import { type Embedder, embeddedText, type Store } from '@aquifer/contracts';
import { type ChunkVectors, type EmbeddingCounts, embeddingKeys } from './chunk-vectors.js';
import { requestsFor } from './embedding-terms.js';

/** What an ingestor needs of a store. */
export type IngestionStore = Pick<
  Store,
  | 'getDocument'
  | 'listDocuments'
  | 'replaceDocument'
  | 'updateDocument'
  | 'deleteDocuments'
  | 'getEmbeddings'
  | 'putEmbeddings'
  | 'now'
>;

/** By the store's clock, where it has one. */
export const timeIn = async (store: Pick<Store, 'now'>): Promise<number> => (await store.now?.()) ?? Date.now();

/** The store to read, with writes that do nothing. */
export function withoutWrites(store: IngestionStore): IngestionStore {
  return {
    getDocument: (id) => store.getDocument(id),
    listDocuments: (query) => store.listDocuments(query),
    getEmbeddings: (keys) => store.getEmbeddings(keys),
    async putEmbeddings() {},
    async replaceDocument() {},
    async updateDocument() {},
    deleteDocuments: async (ids) => ids.length,
  };
}

/** Counts what would be embedded, and finds out what is there already, as a run would; embeds nothing. */
export function countChunkVectors(store: Pick<Store, 'getEmbeddings'>, embedder: Embedder): ChunkVectors {
  const keyOf = embeddingKeys(embedder);
  const counts: EmbeddingCounts = { embedded: 0, cacheHits: 0, tokens: 0, requests: 0 };
  /** Texts that a run would have made the vectors of by now. */
  const made = new Set<string>();
  const lookupBatch = 256;
  return {
    counts,
    async resolve(chunks) {
      const writes = chunks.map((chunk) => ({ ...chunk, embeddingKey: keyOf(embeddedText(chunk)) }));
      for (let start = 0; start < writes.length; start += lookupBatch) {
        const batch = writes.slice(start, start + lookupBatch);
        const known = await store.getEmbeddings(batch.map(({ embeddingKey }) => embeddingKey));
        for (const [index, { embeddingKey, tokens }] of batch.entries()) {
          if (known[index] !== undefined || made.has(embeddingKey)) {
            counts.cacheHits += 1;
          } else {
            made.add(embeddingKey);
            counts.embedded += 1;
            counts.tokens += tokens;
          }
        }
      }
      if (embedder.terms) counts.requests = requestsFor(embedder.terms, counts.embedded);
      return { writes, inParts: 0, release() {} };
    },
  };
}
