import { AquiferError, checkVector, isStorable, type Manifest } from '@aquifer/contracts';
import { collision } from './database-errors.js';
import type { EmbeddingCache, EmbeddingEntry } from './embedding-cache.js';
import type { Query } from './transactions.js';

const ofOwn = 'tenant = $1 AND knowledge_base = $2';

/** What a knowledge base is and holds beside its documents: manifest, values, cached embeddings. */
export function createManifestStore(tenant: string, knowledgeBase: string, cache: EmbeddingCache) {
  const own = [tenant, knowledgeBase];
  const sizeOf = async (query: Query, lock = ''): Promise<{ dimensions: number; vectors: number } | undefined> => {
    const [row] = await query(
      `SELECT dimensions, chunks::float8 AS vectors FROM aquifer.knowledge_bases WHERE ${ofOwn} ${lock}`,
      own,
    );
    return row as { dimensions: number; vectors: number } | undefined;
  };
  const countCommit = (query: Query) =>
    query(`UPDATE aquifer.knowledge_bases SET generation = generation + 1 WHERE ${ofOwn}`, own);

  return {
    async readManifest(query: Query): Promise<Manifest | undefined> {
      const [row] = await query(`SELECT manifest FROM aquifer.knowledge_bases WHERE ${ofOwn}`, own);
      return row && (JSON.parse(row.manifest as string) as Manifest);
    },

    async writeManifest(query: Query, manifest: Manifest, unlessThere: boolean): Promise<void> {
      const { dimensions } = manifest.embedder;
      const before = await sizeOf(query, 'FOR UPDATE');
      if (before !== undefined && unlessThere) return;
      if (before !== undefined && before.vectors > 0 && before.dimensions !== dimensions) {
        throw new AquiferError(
          'embedder-mismatch',
          `The index holds ${before.vectors} vectors of ${before.dimensions} dimensions, so it cannot become one of ${dimensions}.`,
        );
      }
      const values = [...own, JSON.stringify(manifest), dimensions];
      const written = await Promise.all([
        // What was not there a moment ago may be there now.
        query(
          `UPDATE aquifer.knowledge_bases SET manifest = $3, dimensions = $4 WHERE ${ofOwn} AND NOT $5 RETURNING dimensions`,
          [...values, unlessThere],
        ),
        query(
          `INSERT INTO aquifer.knowledge_bases (tenant, knowledge_base, manifest, dimensions) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING RETURNING dimensions`,
          values,
        ),
      ]);
      if (written.flat().length === 0) throw collision('the manifest');
      await countCommit(query);
      if (before !== undefined && before.dimensions !== dimensions) await cache.keepOnly(query, dimensions);
    },

    readSize: (query: Query) => sizeOf(query),

    async putEmbeddings(query: Query, entries: readonly EmbeddingEntry[]): Promise<void> {
      const size = await sizeOf(query);
      for (const { key, vector } of entries) {
        checkVector(vector, size?.dimensions, `cache entry ${JSON.stringify(key)}`);
        if (!isStorable(key))
          throw new AquiferError('invalid-options', 'An embedding key must be a string without NUL.');
      }
      if (entries.length === 0) return;
      await cache.add(query, entries);
      await countCommit(query);
    },

    async pruneCache(query: Query): Promise<void> {
      if ((await cache.prune(query)) > 0) await countCommit(query);
    },

    async readValue(query: Query, key: string): Promise<unknown> {
      if (!isStorable(key)) return undefined;
      const [row] = await query(`SELECT value FROM aquifer.stored_values WHERE ${ofOwn} AND key = $3`, [...own, key]);
      return row && JSON.parse(row.value as string);
    },

    async writeValue(query: Query, key: string, json: string): Promise<void> {
      if (!isStorable(key))
        throw new AquiferError('invalid-options', 'The key of a value must be a string without NUL.');
      const values = [...own, key, json];
      const written = await Promise.all([
        query(`UPDATE aquifer.stored_values SET value = $4 WHERE ${ofOwn} AND key = $3 RETURNING key`, values),
        query(
          `INSERT INTO aquifer.stored_values (tenant, knowledge_base, key, value) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING RETURNING key`,
          values,
        ),
      ]);
      if (written.flat().length === 0) throw collision(`the value ${key}`);
      await countCommit(query);
    },
  };
}
