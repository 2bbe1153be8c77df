import { isStorable } from '@aquifer/contracts';
import { avoidNestedLoops, type Query } from './transactions.js';
import { calculableVector, vectorFromBytes, vectorsToBytes, vectorToBytes } from './vector-bytes.js';

/** Cached vectors without a chunk that are always kept. Beyond it, as many as the knowledge base has chunks. */
const minUnusedEmbeddings = 10_000;
/** Of 1,024 dimensions, some 2 MB a statement. */
const vectorsPerStatement = 500;

export interface EmbeddingEntry {
  readonly key: string;
  readonly vector: Float32Array;
}

/** The vectors of one knowledge base by key. Each method is statements of a transaction that the caller has begun. */
export function createEmbeddingCache(tenant: string, knowledgeBase: string) {
  const own = [tenant, knowledgeBase];
  return {
    /** Inserts what is not there. */
    async add(query: Query, entries: readonly EmbeddingEntry[]): Promise<void> {
      if (entries.length === 0) return;
      // In one order everywhere: two transactions that add the same keys wait for each other, never both.
      const unique = new Map(entries.map((entry) => [entry.key, entry]));
      const sorted = [...unique.values()].sort((left, right) => (left.key < right.key ? -1 : 1));
      const [type] = await query("SELECT 'vector'::regtype::oid AS number");
      for (let from = 0; from < sorted.length; from += vectorsPerStatement) {
        const batch = sorted.slice(from, from + vectorsPerStatement);
        const vectors = batch.map(({ vector }) => calculableVector(vector));
        const originals = batch.map(({ vector }, index) => (vectors[index] === vector ? null : vectorToBytes(vector)));
        await query(
          `INSERT INTO aquifer.embeddings (tenant, knowledge_base, key, vector, original)
           SELECT $1, $2, entry.key, entry.vector, entry.original
           FROM unnest($3::text[], $4::vector[], $5::bytea[]) AS entry (key, vector, original)
           ON CONFLICT (tenant, knowledge_base, key) DO NOTHING`,
          [...own, batch.map(({ key }) => key), vectorsToBytes(vectors, Number(type?.number)), originals],
        );
      }
    },

    async get(query: Query, keys: readonly string[]): Promise<(Float32Array | undefined)[]> {
      const rows = await query(
        `SELECT key, coalesce(original, vector_send(vector)) AS bytes FROM aquifer.embeddings
         WHERE tenant = $1 AND knowledge_base = $2 AND key = ANY($3::text[])`,
        [...own, keys.filter(isStorable)],
      );
      const found = new Map(rows.map((row) => [row.key as string, row.bytes as Buffer]));
      return keys.map((key) => {
        const bytes = found.get(key);
        return bytes && vectorFromBytes(bytes);
      });
    },

    /** Deletes the oldest entries that no chunk uses, beyond 10,000 or the number of chunks; returns how many. */
    async prune(query: Query): Promise<number> {
      await avoidNestedLoops(query);
      const rows = await query(
        `DELETE FROM aquifer.embeddings WHERE tenant = $1 AND knowledge_base = $2 AND key IN (
           SELECT key FROM aquifer.embeddings WHERE tenant = $1 AND knowledge_base = $2 AND NOT EXISTS (
             SELECT FROM aquifer.chunks WHERE chunks.tenant = $1 AND chunks.knowledge_base = $2 AND chunks.embedding_key = embeddings.key)
           ORDER BY number DESC OFFSET greatest($3::bigint, (
             SELECT chunks FROM aquifer.knowledge_bases WHERE tenant = $1 AND knowledge_base = $2)))
         RETURNING key`,
        [...own, minUnusedEmbeddings],
      );
      return rows.length;
    },

    /** Deletes the entries of other dimensions. */
    async keepOnly(query: Query, dimensions: number): Promise<void> {
      await query(
        'DELETE FROM aquifer.embeddings WHERE tenant = $1 AND knowledge_base = $2 AND vector_dims(vector) <> $3',
        [...own, dimensions],
      );
    },
  };
}

export type EmbeddingCache = ReturnType<typeof createEmbeddingCache>;
