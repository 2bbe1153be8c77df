import type { StoreStats } from '@aquifer/contracts';
import type { Query } from './transactions.js';
import type { VectorGraph } from './vector-graph.js';

export async function readStats(
  query: Query,
  parts: {
    readonly tenant: string;
    readonly knowledgeBase: string;
    readonly graph: VectorGraph;
    readonly note: string | undefined;
  },
): Promise<StoreStats> {
  const { tenant, knowledgeBase, graph, note } = parts;
  const own = [tenant, knowledgeBase];
  const statuses = await query(
    'SELECT status, count(*)::float8 AS count FROM aquifer.documents WHERE tenant = $1 AND knowledge_base = $2 GROUP BY status',
    own,
  );
  const [counted] = await query(
    `SELECT base.dimensions, base.generation::float8, base.chunks::float8, base.tokens::float8, cached.count AS cached
     FROM (SELECT count(*)::float8 FROM aquifer.embeddings WHERE tenant = $1 AND knowledge_base = $2) AS cached
     LEFT JOIN aquifer.knowledge_bases AS base ON base.tenant = $1 AND base.knowledge_base = $2`,
    own,
  );
  // What the tables take together is known; whose row is on which page is not. This is the share by chunks, of the server's last estimate.
  const [size] = await query(
    `SELECT sum(pg_total_relation_size(oid))::float8 AS bytes, max(CASE WHEN relname = 'chunks' THEN reltuples END)::float8 AS chunks
     FROM pg_class WHERE relnamespace = to_regnamespace('aquifer') AND relkind = 'r'`,
  );
  const numberOf = (value: unknown): number => (value as number | null | undefined) ?? 0;
  const chunks = numberOf(counted?.chunks);
  const dimensions = numberOf(counted?.dimensions);
  const share = chunks / Math.max(chunks, numberOf(size?.chunks), 1);
  return {
    documents: Object.fromEntries(statuses.map(({ status, count }) => [status, count])),
    chunks,
    tokens: numberOf(counted?.tokens),
    cachedEmbeddings: numberOf(counted?.cached),
    bytes: Math.round(numberOf(size?.bytes) * share),
    generation: numberOf(counted?.generation),
    index: {
      kind: (await graph.ready(query, dimensions)) === undefined ? 'exact' : 'hnsw',
      vectors: chunks,
      ...(note !== undefined && { note }),
    },
  };
}
