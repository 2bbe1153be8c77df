import { createHash } from 'node:crypto';
import { AquiferError, throwIfAborted } from '@aquifer/contracts';
import pg from 'pg';
import type { Query, Transactions } from './transactions.js';

/** `auto` builds a graph for 20,000 vectors and more, `hnsw` for any number, `exact` none and uses none. */
export type GraphKind = 'auto' | 'exact' | 'hnsw';

/** Fewer than this are looked at one by one in some 10 ms. */
export const leastGraphVectors = 20_000;
/** What an HNSW index of pgvector takes of 4-byte floats, and of half-precision ones (github.com/pgvector/pgvector). */
const maxVectorDimensions = 2_000;
const maxHalfDimensions = 4_000;

export interface VectorGraph {
  /** How the graph's column is written, as in `(vector::halfvec(3072))`; undefined where no graph takes so many dimensions. */
  expression(dimensions: number): string | undefined;
  /** The type that a query vector is cast to. */
  type(dimensions: number): string | undefined;
  /** Whether there is a graph of these dimensions that may be used. */
  isReady(query: Query, dimensions: number): Promise<boolean>;
  /** Builds what is to be built, outside of any transaction; returns why there is none, where one was wanted. */
  bring(options: {
    readonly dimensions: number;
    readonly vectors: number;
    readonly signal?: AbortSignal | undefined;
  }): Promise<string | undefined>;
}

/**
 * The HNSW index of one knowledge base: partial, so that neither building nor searching it meets vectors of others. It is made beside
 * readers and writers (`CONCURRENTLY`), and PostgreSQL keeps it up to date.
 */
export function createVectorGraph(parts: {
  readonly transactions: Transactions;
  readonly tenant: string;
  readonly knowledgeBase: string;
  readonly kind: GraphKind;
}): VectorGraph {
  const { transactions, tenant, knowledgeBase, kind } = parts;
  const owner = createHash('sha256')
    .update(JSON.stringify([tenant, knowledgeBase]))
    .digest('hex');
  // The dimensions are in the name, so that another embedder's graph is another one.
  const nameOf = (dimensions: number): string => `embeddings_graph_${owner.slice(0, 24)}_${dimensions}`;
  const type = (dimensions: number): string | undefined => {
    if (dimensions <= maxVectorDimensions) return `vector(${dimensions})`;
    return dimensions <= maxHalfDimensions ? `halfvec(${dimensions})` : undefined;
  };
  const expression = (dimensions: number): string | undefined => {
    const name = type(dimensions);
    return name && `(embeddings.vector::${name})`;
  };
  const find = async (query: Query, name: string) => {
    const [row] = await query('SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)', [
      `aquifer.${name}`,
    ]);
    return row as { readonly valid: boolean } | undefined;
  };

  return {
    expression,
    type,
    async isReady(query, dimensions) {
      return kind !== 'exact' && (await find(query, nameOf(dimensions)))?.valid === true;
    },
    async bring({ dimensions, vectors, signal }) {
      if (kind === 'exact' || vectors === 0 || (kind === 'auto' && vectors < leastGraphVectors)) return undefined;
      const column = type(dimensions);
      if (column === undefined) {
        return `an HNSW index takes at most ${maxHalfDimensions} dimensions, and these have ${dimensions}: every search is exact`;
      }
      const name = nameOf(dimensions);
      const operators = column.startsWith('half') ? 'halfvec_cosine_ops' : 'vector_cosine_ops';
      return transactions.outside(async (query) => {
        const lock = [`aquifer ${name}`];
        // Two at once would build the same graph twice; the second one has nothing left to do.
        await query('SELECT pg_advisory_lock(hashtextextended($1, 0))', lock);
        try {
          throwIfAborted(signal);
          const found = await find(query, name);
          if (found?.valid) return undefined;
          // What an interrupted building left is no use to anybody.
          if (found !== undefined) await query(`DROP INDEX CONCURRENTLY aquifer.${name}`);
          // An index's condition can have no parameters.
          await query(
            `CREATE INDEX CONCURRENTLY ${name} ON aquifer.embeddings USING hnsw ((vector::${column}) ${operators})
             WHERE tenant = ${pg.escapeLiteral(tenant)} AND knowledge_base = ${pg.escapeLiteral(knowledgeBase)}`,
          );
          return undefined;
        } catch (error) {
          if ((error as { code?: string }).code !== '42501') throw error;
          return 'this role does not own the table aquifer.embeddings, so it cannot build a graph: every search is exact';
        } finally {
          await query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock).catch(() => {});
        }
      });
    },
  };
}

/** @throws `invalid-options` */
export function checkGraphKind(kind: string): void {
  if (['auto', 'exact', 'hnsw'].includes(kind)) return;
  throw new AquiferError('invalid-options', `The index must be auto, exact or hnsw, not ${JSON.stringify(kind)}.`);
}
