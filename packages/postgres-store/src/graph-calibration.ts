import { throwIfAborted } from '@aquifer/contracts';
import { type GraphCoding, graphSettings, namedRows } from './graph-coding.js';
import type { PostgresLocation } from './postgres-location.js';
import type { Query, Transactions } from './transactions.js';
import { calculableVector, lengthOf, vectorFromBytes, vectorToBytes } from './vector-bytes.js';

/** How much a graph must be asked. */
export interface GraphCalibration {
  /** `hnsw.ef_search`, and the rows that codings are a shortlist of. */
  readonly candidates: number;
  /** Whether so many find what a look at every vector finds. */
  readonly worthwhile: boolean;
  /** Vectors there were when it was measured. */
  readonly vectors: number;
}

/** pgvector's own limit of `hnsw.ef_search`. */
export const maxCandidates = 1_000;
export const leastCandidates = 100;
const steps = [leastCandidates, 200, 500, maxCandidates];
const sampleSize = 24;
const neighbours = 10;
/** Above what is promised (0.98), because a sample of questions is not all of them. */
const wantedRecall = 0.985;
/** Vectors that are as near as the last of the nearest, count as it. */
const tie = 1e-6;

/**
 * How much a graph must be asked depends on the vectors: of clustered ones 100 candidates are plenty, of those without structure 1,000 find too little. So it
 * is measured on the knowledge base itself: half of the sample are stored vectors, half lie between two of them, as questions do.
 */
export async function calibrateGraph(parts: {
  readonly transactions: Transactions;
  readonly location: PostgresLocation;
  readonly coding: GraphCoding;
  readonly vectors: number;
  readonly signal?: AbortSignal | undefined;
}): Promise<GraphCalibration> {
  const { transactions, location, coding, vectors, signal } = parts;
  const own = [location.tenant, location.knowledgeBase];
  const questions = await transactions.read(async (query) => questionsOf(await sample(query, own, vectors)));
  const wanted: { readonly question: Buffer; readonly farthest: number; readonly count: number }[] = [];
  for (const question of questions) {
    throwIfAborted(signal);
    const distances = await transactions.read((query) =>
      query(
        `SELECT vector <=> $3::vector AS distance FROM aquifer.embeddings WHERE tenant = $1 AND knowledge_base = $2
         ORDER BY distance LIMIT ${neighbours}`,
        [...own, question],
      ),
    );
    const last = distances.at(-1)?.distance as number | undefined;
    if (last !== undefined) wanted.push({ question, farthest: last + tie, count: distances.length });
  }
  const all = wanted.reduce((sum, { count }) => sum + count, 0);
  for (const candidates of steps) {
    let hits = 0;
    for (const { question, farthest, count } of wanted) {
      throwIfAborted(signal);
      const found = await transactions.read(async (query) => {
        const [, rows] = await Promise.all([
          query(graphSettings(candidates)),
          query(
            `SELECT vector <=> $1::vector AS distance FROM (
               SELECT vector FROM aquifer.embeddings WHERE ${namedRows(location)}
               ORDER BY ${coding.expression('vector')} ${coding.distance} ${coding.expression('$1::vector')}
               LIMIT ${coding.isShortlist ? candidates : neighbours}) nearest`,
            [question],
          ),
        ]);
        return rows;
      });
      hits += Math.min(count, found.filter(({ distance }) => (distance as number) <= farthest).length);
    }
    if (hits >= wantedRecall * all) return { candidates, worthwhile: true, vectors };
  }
  return { candidates: maxCandidates, worthwhile: false, vectors };
}

/** Stored vectors in pairs, from evenly spaced places in the order of their keys, which are digests. */
async function sample(query: Query, own: readonly string[], vectors: number): Promise<Float32Array[]> {
  const wanted = Math.min(vectors, 2 * sampleSize);
  const places = Array.from({ length: wanted }, (_, index) => 1 + Math.floor((index * vectors) / wanted));
  const rows = await query(
    `SELECT vector_send(embeddings.vector) AS vector FROM aquifer.embeddings JOIN (
       SELECT key, row_number() OVER (ORDER BY key) AS place FROM aquifer.embeddings WHERE tenant = $1 AND knowledge_base = $2) numbered
       ON numbered.key = embeddings.key
     WHERE tenant = $1 AND knowledge_base = $2 AND place = ANY($3::int[])`,
    [...own, places],
  );
  return rows.map((row) => vectorFromBytes(row.vector as Buffer));
}

function questionsOf(vectors: readonly Float32Array[]): Buffer[] {
  const half = Math.ceil(vectors.length / 2);
  return vectors.slice(0, half).map((vector, index) => {
    const other = vectors[half + index];
    if (index % 2 === 0 || other === undefined || other.length !== vector.length) {
      return vectorToBytes(calculableVector(vector));
    }
    const [own, others] = [lengthOf(vector) || 1, lengthOf(other) || 1];
    const between = vector.map((value, at) => (0.7 * value) / own + (0.3 * (other[at] as number)) / others);
    return vectorToBytes(lengthOf(between) > 0.01 ? between : calculableVector(vector));
  });
}

const valueKey = (graphName: string): string => `graph-calibration ${graphName}`;

export async function readCalibration(
  query: Query,
  location: PostgresLocation,
  graphName: string,
): Promise<GraphCalibration | undefined> {
  const [row] = await query(
    'SELECT value FROM aquifer.stored_values WHERE tenant = $1 AND knowledge_base = $2 AND key = $3',
    [location.tenant, location.knowledgeBase, valueKey(graphName)],
  );
  return row && JSON.parse(row.value as string);
}

/** Says nothing about documents, so it is no new generation of the knowledge base. */
export async function writeCalibration(
  query: Query,
  location: PostgresLocation,
  graphName: string,
  calibration: GraphCalibration,
): Promise<void> {
  await query(
    `INSERT INTO aquifer.stored_values (tenant, knowledge_base, key, value) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant, knowledge_base, key) DO UPDATE SET value = EXCLUDED.value`,
    [location.tenant, location.knowledgeBase, valueKey(graphName), JSON.stringify(calibration)],
  );
}
