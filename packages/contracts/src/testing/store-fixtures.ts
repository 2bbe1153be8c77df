import type { Analyser } from '../analyser.js';
import type { DocumentRecord } from '../document.js';
import type { Manifest } from '../manifest.js';
import type { Metadata } from '../metadata.js';
import type { ChunkWrite, DocumentWrite, ScoredChunk } from '../store.js';
import type { SeededRandom } from './seeded-random.js';

/** Words in lower case, with marks that tokenizers of databases like to cut at kept inside. */
export const suiteAnalyser: Analyser = {
  version: 'suite-1',
  terms: (text) => text.toLowerCase().match(/[\p{L}\p{N}_.:+#'-]+/gu) ?? [],
  pairs: (terms) =>
    terms.slice(1).flatMap((second, index) => (terms[index] === second ? [] : [[terms[index]!, second]])),
};

export function suiteManifest(dimensions: number): Manifest {
  return {
    schemaVersion: 1,
    knowledgeBase: { id: 'ABCDEFGHI0', name: 'suite' },
    embedder: { provider: 'suite', model: 'numbers', dimensions, normalised: false },
    chunker: 'suite',
    analyser: suiteAnalyser.version,
    metric: 'cosine',
    createdAt: 1_700_000_000_000,
  };
}

/** What a test says of a chunk; the rest is filled in. */
export interface ChunkSketch {
  readonly id?: string;
  readonly text: string;
  readonly context?: string;
  readonly tableHeader?: string;
  readonly key?: string;
  /** `null`: none is given. */
  readonly vector?: readonly number[] | Float32Array | null;
}

/** A document of these chunks, one after the other in its text. */
export function sketchDocument(
  id: string,
  chunks: readonly ChunkSketch[],
  record: Partial<DocumentRecord> & { readonly metadata?: Metadata } = {},
): DocumentWrite {
  const text = chunks.map((chunk) => chunk.text).join('\n');
  let start = 0;
  const written = chunks.map((chunk, ordinal): ChunkWrite => {
    const chunkId = chunk.id ?? `${id}#${ordinal}`;
    const vector = chunk.vector === undefined ? [1, ordinal + 1, 1, 1] : chunk.vector;
    const from = start;
    start += chunk.text.length + 1;
    return {
      id: chunkId,
      documentId: id,
      ordinal,
      start: from,
      end: from + chunk.text.length,
      headings: ['Top', `Part ${ordinal}`],
      text: chunk.text,
      context: chunk.context ?? '',
      tableHeader: chunk.tableHeader ?? '',
      tokens: 7,
      embeddingKey: chunk.key ?? `key of ${chunkId}`,
      ...(vector === null ? {} : { vector: Float32Array.from(vector) }),
    };
  });
  return {
    document: {
      id,
      sourceId: 'source-1',
      source: `${id}.md`,
      uri: `file:///${id}.md`,
      mediaType: 'text/markdown',
      title: `Title of ${id}`,
      stamp: '12|34',
      contentHash: 'ab'.repeat(32),
      bytes: text.length,
      metadata: {},
      status: 'indexed',
      chunkCount: chunks.length,
      tokenCount: 7 * chunks.length,
      indexedAt: 1_700_000_000_123,
      ...record,
    },
    text,
    pages: [{ page: 1, start: 0, end: text.length }],
    blocks: [{ kind: 'paragraph', start: 0, end: text.length }],
    chunks: written,
  };
}

/** What the references say of a match. */
type Scored = Pick<ScoredChunk, 'chunkId' | 'score'>;

const byScore = (left: Scored, right: Scored): number =>
  right.score - left.score || (left.chunkId < right.chunkId ? -1 : 1);

/** BM25 as the store contract writes it, by looking at every chunk. */
export function referenceKeywordSearch(documents: readonly DocumentWrite[], query: string): Scored[] {
  const chunks = documents.flatMap((document) =>
    document.chunks.map((chunk) => ({
      chunkId: chunk.id,
      heavy: [...suiteAnalyser.terms(chunk.context), ...suiteAnalyser.terms(chunk.tableHeader)],
      light: suiteAnalyser.terms(chunk.text),
    })),
  );
  const lengthOf = ({ heavy, light }: { heavy: string[]; light: string[] }): number => 3 * heavy.length + light.length;
  const average = chunks.reduce((sum, chunk) => sum + lengthOf(chunk), 0) / chunks.length;
  const times = (terms: readonly string[], sought: readonly string[]): number =>
    terms.filter((_, at) => sought.every((term, index) => terms[at + index] === term)).length;
  const scores = new Map<string, number>();
  const add = (sought: readonly string[], weight: number): void => {
    const frequencies = chunks.map(({ heavy, light }) => 3 * times(heavy, sought) + times(light, sought));
    const holding = frequencies.filter((frequency) => frequency > 0).length;
    const idf = Math.log(1 + (chunks.length - holding + 0.5) / (holding + 0.5));
    for (const [index, frequency] of frequencies.entries()) {
      const chunk = chunks[index]!;
      if (frequency === 0) continue;
      const norm = 1.2 * (1 - 0.75 + (0.75 * lengthOf(chunk)) / average);
      const gain = (weight * idf * frequency * 2.2) / (frequency + norm);
      scores.set(chunk.chunkId, (scores.get(chunk.chunkId) ?? 0) + gain);
    }
  };
  const terms = suiteAnalyser.terms(query);
  for (const term of terms) add([term], 1);
  if (terms.length <= 64) for (const pair of suiteAnalyser.pairs(terms)) add(pair, 0.25);
  return [...scores].map(([chunkId, score]) => ({ chunkId, score })).sort(byScore);
}

/** Cosine with every chunk. */
export function referenceDenseSearch(
  vectors: Iterable<readonly [chunkId: string, vector: Float32Array]>,
  query: Float32Array,
): Scored[] {
  return Array.from(vectors, ([chunkId, vector]) => ({ chunkId, score: cosine(query, vector) })).sort(byScore);
}

export function cosine(left: Float32Array, right: Float32Array): number {
  let inner = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (const [index, a] of left.entries()) {
    const b = right[index] ?? Number.NaN;
    inner += a * b;
    leftSquares += a * a;
    rightSquares += b * b;
  }
  return inner / Math.sqrt(leftSquares * rightSquares);
}

/** Vectors in clusters, as embeddings of texts on a number of subjects are. */
export function createClusteredVectors(random: SeededRandom, dimensions: number, clusters: number): () => Float32Array {
  const point = (): Float32Array => Float32Array.from({ length: dimensions }, () => random.gaussian());
  const centres = Array.from({ length: clusters }, point);
  return () => {
    const centre = random.pick(centres);
    return centre.map((value) => value + 0.6 * random.gaussian());
  };
}
