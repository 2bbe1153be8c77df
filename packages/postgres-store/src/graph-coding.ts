import { AquiferError } from '@aquifer/contracts';
import pg from 'pg';

/**
 * The rows of a knowledge base, its names in the text: the condition of an index has no parameters, and a plan that is made once has to prove that it may
 * use the graph, which is of these names alone.
 *
 * @param table Where there is more than one.
 */
export function namedRows(
  { tenant, knowledgeBase }: { readonly tenant: string; readonly knowledgeBase: string },
  table?: string,
): string {
  const of = table === undefined ? '' : `${table}.`;
  return `${of}tenant = ${pg.escapeLiteral(tenant)} AND ${of}knowledge_base = ${pg.escapeLiteral(knowledgeBase)}`;
}

/** How a graph keeps vectors, as `?graph=` says it. */
export const graphCodings = ['vector', 'halfvec', 'bit', 'prefix'] as const;
export type GraphCodingName = (typeof graphCodings)[number];

/** What a graph is made of, and how it is asked, as SQL. */
export interface GraphCoding {
  /** Part of the graph's name. */
  readonly name: string;
  /** The indexed expression of `column`, of which the query's is compared with the same expression. */
  expression(column: string): string;
  readonly operators: string;
  readonly distance: '<=>' | '<~>';
  /** Rows to take from the graph for so many results, before their exact distances are compared. */
  shortlist(limit: number): number;
  /** What the graph finds is ordered by the whole vectors, so more of it finds more. */
  readonly isShortlist: boolean;
  /** Bytes of one vector in the graph. */
  readonly bytes: number;
}

/** The graph gives rows in order of distance only while nothing sorts or hashes them. */
export const graphPlan = (other: 'on' | 'off'): string =>
  ['hashjoin', 'mergejoin', 'sort', 'bitmapscan', 'seqscan']
    .map((plan) => `SET LOCAL enable_${plan} = ${other}`)
    .join('; ');

/** What a transaction sets before it asks a graph. */
export const graphSettings = (candidates: number): string =>
  `SET LOCAL hnsw.ef_search = ${candidates}; SET LOCAL hnsw.iterative_scan = relaxed_order; ${graphPlan('off')}`;

/** What an HNSW index of pgvector takes of each type (github.com/pgvector/pgvector). */
const maxVectorDimensions = 2_000;
const maxHalfDimensions = 4_000;
/** Beginnings of vectors whose model was trained for it (Kusupati et al. 2022, "Matryoshka Representation Learning") say most of it by here. */
const prefixDimensions = 256;

/**
 * The coding for vectors of so many dimensions; undefined where no graph takes them. `vector` turns into `halfvec` where there are too many. Bits and prefixes are
 * a shortlist only: what they find is ordered by the whole vectors.
 */
export function graphCoding(wanted: GraphCodingName, dimensions: number): GraphCoding | undefined {
  if (wanted === 'bit') {
    return {
      name: `bit_${dimensions}`,
      expression: (column) => `(binary_quantize(${column})::bit(${dimensions}))`,
      operators: 'bit_hamming_ops',
      distance: '<~>',
      shortlist: (limit) => Math.max(100, 10 * limit),
      isShortlist: true,
      bytes: dimensions / 8,
    };
  }
  if (wanted === 'prefix' && dimensions > prefixDimensions) {
    return {
      name: `prefix_${dimensions}`,
      expression: (column) => `(subvector(${column}, 1, ${prefixDimensions})::vector(${prefixDimensions}))`,
      operators: 'vector_cosine_ops',
      distance: '<=>',
      shortlist: (limit) => Math.max(100, 8 * limit),
      isShortlist: true,
      bytes: 4 * prefixDimensions,
    };
  }
  const isWhole = wanted !== 'halfvec' && dimensions <= maxVectorDimensions;
  if (!isWhole && dimensions > maxHalfDimensions) return undefined;
  const type = isWhole ? 'vector' : 'halfvec';
  return {
    name: isWhole ? `${dimensions}` : `half_${dimensions}`,
    expression: (column) => `(${column}::${type}(${dimensions}))`,
    operators: `${type}_cosine_ops`,
    distance: '<=>',
    // Half-precision puts near neighbours in another order.
    shortlist: (limit) => (isWhole ? limit : Math.ceil(1.2 * limit) + 10),
    isShortlist: false,
    bytes: dimensions * (isWhole ? 4 : 2),
  };
}

/** @throws `invalid-options` */
export function parseGraphCoding(value: string, shown: string): GraphCodingName {
  const found = graphCodings.find((name) => name === value);
  if (found !== undefined) return found;
  throw new AquiferError(
    'invalid-options',
    `The graph in ${shown} must be one of ${graphCodings.join(', ')}, as in ?graph=halfvec`,
  );
}
