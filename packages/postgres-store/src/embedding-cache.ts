import { isStorable } from '@aquifer/contracts';
import { createBulkRows, textColumn } from './bulk-rows.js';
import type { PostgresLocation } from './postgres-location.js';
import { avoidNestedLoops, type Query } from './transactions.js';
import { calculableVector, vectorFromBytes, vectorsToBytes, vectorToBytes } from './vector-bytes.js';

/** Cached vectors without a chunk that are always kept. Beyond it, as many as the knowledge base has chunks. */
const minUnusedEmbeddings = 10_000;
/** Of 1,024 dimensions, some 2 MB a statement. */
const vectorsPerStatement = 500;

/** Measured with 1,024 dimensions (bench/postgres-rows.mjs): 64 take 5.1 ms as arrays and 5.7 ms by COPY, 128 take 10.9 and 10.4 ms. */
const leastCopiedVectors = 128;

interface WrittenEmbedding {
  readonly key: string;
  readonly vector: Float32Array;
  /** Where the vector is not the one that came. */
  readonly original: Buffer | undefined;
}

export interface EmbeddingEntry {
  readonly key: string;
  readonly vector: Float32Array;
}

/** The vectors of one knowledge base by key. Each method is statements of a transaction that the caller has begun. */
export function createEmbeddingCache({ tenant, knowledgeBase, mayCopy }: PostgresLocation) {
  const own = [tenant, knowledgeBase];
  /** The number of pgvector's type in this database. */
  let vectorType: number | undefined;
  const withRows = createBulkRows<WrittenEmbedding>(
    'embeddings',
    [
      textColumn('key', ({ key }) => key),
      {
        name: 'vector',
        type: 'vector',
        array: (items) =>
          vectorsToBytes(
            items.map(({ vector }) => vector),
            vectorType as number,
          ),
        copy: (rows, { vector }) => rows.vector(vector),
      },
      {
        name: 'original',
        type: 'bytea',
        array: (items) => items.map(({ original }) => original ?? null),
        copy: (rows, { original }) => (original === undefined ? rows.empty() : rows.bytes(original)),
      },
    ],
    { leastCopied: leastCopiedVectors, mayCopy },
  );
  return {
    /** Inserts what is not there. */
    async add(query: Query, entries: readonly EmbeddingEntry[]): Promise<void> {
      if (entries.length === 0) return;
      const unique = new Map(entries.map((entry) => [entry.key, entry]));
      for (const key of await knownKeys(query, own, [...unique.keys()])) unique.delete(key);
      const added = [...unique.values()];
      for (let from = 0; from < added.length; from += vectorsPerStatement) {
        const batch = added.slice(from, from + vectorsPerStatement).map(({ key, vector }) => {
          const calculable = calculableVector(vector);
          return { key, vector: calculable, original: calculable === vector ? undefined : vectorToBytes(vector) };
        });
        if (vectorType === undefined) {
          const [type] = await query("SELECT 'vector'::regtype::oid AS number");
          vectorType = Number(type?.number);
        }
        await withRows(query, batch, 3, ({ from, values }) =>
          query(
            // In one order everywhere: two transactions that add the same keys wait for each other, never both.
            `INSERT INTO aquifer.embeddings (tenant, knowledge_base, key, vector, original)
             SELECT $1, $2, n.key, n.vector, n.original FROM ${from} ORDER BY n.key COLLATE "C"
             ON CONFLICT DO NOTHING`,
            [...own, ...values],
          ),
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

    /** Keys after this one, in order. */
    async keys(query: Query, after: string, limit: number): Promise<string[]> {
      const rows = await query(
        `SELECT key FROM aquifer.embeddings WHERE tenant = $1 AND knowledge_base = $2 AND key > $3 ORDER BY key LIMIT $4`,
        [...own, after, limit],
      );
      return rows.map((row) => row.key as string);
    },

    /** Deletes the oldest entries that no chunk uses, beyond 10,000 or the number of chunks; returns how many. */
    async prune(query: Query): Promise<number> {
      await avoidNestedLoops(query);
      // Whoever is about to commit chunks waits until this one has committed, and then looks whether their vectors are there.
      await query('SELECT FROM aquifer.knowledge_bases WHERE tenant = $1 AND knowledge_base = $2 FOR UPDATE', own);
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

/**
 * Those of these keys that have a vector. One by one: without statistics, "key = ANY" would be a filter on all keys of the knowledge base, which
 * the planner takes for one row.
 */
export async function knownKeys(query: Query, own: readonly string[], keys: readonly string[]): Promise<string[]> {
  const rows = await query(
    `SELECT wanted.key FROM unnest($3::text[]) AS wanted (key), LATERAL (
       SELECT FROM aquifer.embeddings WHERE tenant = $1 AND knowledge_base = $2 AND embeddings.key = wanted.key LIMIT 1) found`,
    [...own, keys],
  );
  return rows.map((row) => row.key as string);
}

export type EmbeddingCache = ReturnType<typeof createEmbeddingCache>;
