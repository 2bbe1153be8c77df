import {
  AquiferError,
  type Chunk,
  maxSearchLimit,
  type SearchScope,
  type Store,
  throwIfAborted,
} from '@aquifer/contracts';
import type { Standing } from './fuse.js';
import type { SearchResponse } from './retriever.js';
import type { CheckedSearch } from './search-options.js';

/** A standing whose rank is unknown where it lies beyond the 10,000 best. */
export interface DeepStanding {
  readonly rank?: number;
  readonly score: number;
}

/**
 * - `returned`: among the matches. `below-limit`: fused, but the matches end before it. `not-a-candidate`: in neither
 *   leg's best. `filtered-out`: the filter does not match the document. `not-searchable`: it has no chunks.
 */
export type ExplanationOutcome = 'returned' | 'below-limit' | 'not-a-candidate' | 'filtered-out' | 'not-searchable';

/** Where a document stood for a query. */
export interface DocumentExplanation {
  readonly query: string;
  readonly documentId: string;
  readonly source: string;
  readonly title: string;
  readonly outcome: ExplanationOutcome;
  /** The outcome as a sentence for people. */
  readonly reason: string;
  /** As that of a search. */
  readonly usage?: SearchResponse['usage'];
  /** The document's best chunk: by fused rank, else by the dense leg, else by the keyword leg. */
  readonly best?: {
    readonly chunkId: string;
    readonly ordinal: number;
    readonly start: number;
    readonly end: number;
    readonly pageStart?: number;
    readonly pageEnd?: number;
    readonly headings: readonly string[];
    readonly text: string;
    readonly dense?: DeepStanding;
    readonly keyword?: DeepStanding;
    readonly fused?: Standing;
    readonly rerank?: Standing;
    /** Rank among the matches. */
    readonly returned?: number;
  };
}

interface ExplainInput {
  readonly store: Store;
  readonly search: CheckedSearch;
  /** Undefined: the dense leg is off. */
  readonly vector: Float32Array | undefined;
  /** With its trace. */
  readonly response: SearchResponse;
  readonly documentId: string;
  readonly signal: AbortSignal | undefined;
}

/** For a person who asks why: exact and thorough, not fast. */
export async function explainDocument(input: ExplainInput): Promise<DocumentExplanation> {
  const { store, search, response, documentId, signal } = input;
  const document = await store.getDocument(documentId);
  if (!document) {
    throw new AquiferError(
      'document-not-found',
      `There is no document ${JSON.stringify(documentId.slice(0, 200))} in the index. npx aquifer documents lists them.`,
    );
  }
  throwIfAborted(signal);
  const chunks = new Map((await store.listChunks(documentId)).map((chunk) => [chunk.id, chunk] as const));
  const told = (outcome: ExplanationOutcome, reason: string): DocumentExplanation => {
    const { source, title } = document;
    return { query: search.query, documentId, source, title, outcome, reason };
  };
  if (chunks.size === 0) {
    return told(
      'not-searchable',
      `It has no chunks: its status is ${document.status}${document.statusReason ? ` (${document.statusReason})` : ''}.`,
    );
  }

  const candidates = response.trace?.candidates ?? [];
  const candidate = candidates
    .filter(({ chunkId }) => chunks.has(chunkId))
    .sort((a, b) => (a.returned ?? Infinity) - (b.returned ?? Infinity) || a.fused.rank - b.fused.rank)[0];
  const within = { ...scope(search, 1), documentIds: [documentId] };
  const chunkId = candidate?.chunkId ?? (await bestInLegs(input, within));
  const chunk = chunkId === undefined ? undefined : chunks.get(chunkId);
  if (!chunk) {
    if (search.filter && (await bestInLegs(input, { limit: 1, documentIds: [documentId] })) !== undefined) {
      return told('filtered-out', 'The filter does not match its metadata.');
    }
    return told('not-a-candidate', 'No chunk of it holds a word of the query.');
  }

  const best = {
    ...placeOf(chunk),
    ...(await deepStandings(input, chunk.id)),
    ...(candidate && { fused: candidate.fused }),
    ...(candidate?.rerank && { rerank: candidate.rerank }),
    ...(candidate?.returned !== undefined && { returned: candidate.returned }),
  };
  if (!candidate) {
    const reason = `Its best chunk is not among the ${search.candidates} best of either leg; more --limit or other words would reach it.`;
    return { ...told('not-a-candidate', reason), best };
  }
  if (candidate.returned === undefined) {
    const place = candidate.rerank
      ? `reranked ${candidate.rerank.rank}`
      : `${candidate.fused.rank} of ${candidates.length}`;
    return { ...told('below-limit', `Its best chunk came ${place}, and the limit is ${search.limit}.`), best };
  }
  return { ...told('returned', `Its best chunk is match ${candidate.returned}.`), best };
}

function scope(search: CheckedSearch, limit: number): SearchScope {
  return { limit, ...(search.filter && { filter: search.filter }) };
}

async function bestInLegs(
  { store, search, vector, signal }: ExplainInput,
  within: SearchScope,
): Promise<string | undefined> {
  const dense = vector && (await store.searchDense({ ...within, vector, exact: true }, signal)).matches[0];
  if (dense) return dense.chunkId;
  if (search.mode === 'dense') return undefined;
  return (await store.searchKeyword({ ...within, text: search.query }, signal)).matches[0]?.chunkId;
}

/** The chunk's score and rank in each leg, however deep. */
async function deepStandings({ store, search, vector, signal }: ExplainInput, chunkId: string) {
  const all = scope(search, maxSearchLimit);
  const find = (matches: readonly { readonly chunkId: string; readonly score: number }[]): Standing | undefined => {
    const index = matches.findIndex((match) => match.chunkId === chunkId);
    return index < 0 ? undefined : { rank: index + 1, score: matches[index]!.score };
  };
  let dense: DeepStanding | undefined;
  if (vector) {
    dense = find((await store.searchDense({ ...all, vector, exact: true }, signal)).matches);
    const score = dense?.score ?? (await store.scoreDense(vector, [chunkId]))[0];
    if (!dense && score !== undefined) dense = { score };
  }
  const keyword =
    search.mode === 'dense'
      ? undefined
      : find((await store.searchKeyword({ ...all, text: search.query }, signal)).matches);
  return { ...(dense && { dense }), ...(keyword && { keyword }) };
}

function placeOf(chunk: Chunk) {
  const { id, ordinal, start, end, pageStart, pageEnd, headings, text } = chunk;
  return {
    chunkId: id,
    ordinal,
    start,
    end,
    ...(pageStart !== undefined && { pageStart }),
    ...(pageEnd !== undefined && { pageEnd }),
    headings,
    text,
  };
}
