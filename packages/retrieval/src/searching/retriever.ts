import {
  AquiferError,
  type Embedder,
  embeddedText,
  type Metadata,
  type PassagePlace,
  type Reranker,
  type SearchResult,
  type Store,
  type StoredChunk,
  throwIfAborted,
} from '@aquifer/contracts';
import { estimateTokens } from '@aquifer/text-analysis';
import { type DocumentExplanation, explainDocument } from './explain.js';
import { type FusedChunk, type FusionMethod, fuse, type Standing } from './fuse.js';
import { createQueryEmbeddings } from './query-embeddings.js';
import { type CheckedSearch, checkSearch, type SearchOptions } from './search-options.js';

/** A chunk that was found, with everything needed to show and cite it. */
export interface SearchMatch extends PassagePlace {
  /** From 1. */
  readonly rank: number;
  /** What the order comes from: the reranker's score where there is one, else the fused one. Higher is better. */
  readonly score: number;
  readonly scores: {
    /** Cosine, −1 to 1. Absent where the chunk was not among the dense candidates. */
    readonly dense?: number;
    /** BM25. Absent where the chunk was not among the keyword candidates. */
    readonly keyword?: number;
    readonly fused: number;
    readonly rerank?: number;
  };
  readonly chunkId: string;
  /** The document's stored text from `start` to `end`. */
  readonly text: string;
  /** Where the original is, such as `s3://handbook/leave.pdf`. */
  readonly uri: string;
  readonly metadata: Metadata;
}

/** Milliseconds by stage; the legs run at the same time, so they do not add up to `total`. */
export interface SearchTimes {
  readonly embed?: number;
  readonly dense?: number;
  readonly keyword?: number;
  readonly fuse: number;
  readonly rerank?: number;
  readonly fetch: number;
  readonly total: number;
}

export interface CandidateTrace extends FusedChunk {
  readonly rerank?: Standing;
  /** Rank among the matches. Absent where the limit cut it off. */
  readonly returned?: number;
}

export interface SearchTrace {
  /** `none`: one leg answered alone. */
  readonly fusion: FusionMethod | 'none';
  readonly denseWeight: number;
  /** How many each leg was asked for. */
  readonly candidatesPerLeg: number;
  /** All of them, in fused order. */
  readonly candidates: readonly CandidateTrace[];
}

/** What one model took for a search. */
export interface SearchUsage {
  readonly model: string;
  /** As the embedder counts them; estimated for a reranker. */
  readonly tokens: number;
  /** In US dollars. Absent where nobody charges or the price is not known. */
  readonly costUsd?: number;
}

export interface SearchResponse {
  readonly query: string;
  readonly plan: {
    /** `exact`: the best there are. `approximate`: found by a graph. `off`: not asked, or the query says nothing to the embedder. */
    readonly dense: 'exact' | 'approximate' | 'off';
    readonly keyword: 'on' | 'off';
  };
  readonly matches: readonly SearchMatch[];
  /** What people should know, such as that only the beginning of a long query was embedded. */
  readonly notes?: readonly string[];
  readonly trace?: SearchTrace;
  /** What models are paid for the search, in USD: the query's embedding and the reranker. Absent where that is nothing, or no price is known. */
  readonly costUsd?: number;
  /** By model: the embedder for the query, the reranker. Absent where nobody took anything: words alone were searched for, or the query is remembered. */
  readonly usage?: readonly SearchUsage[];
  readonly ms: SearchTimes;
}

export interface RetrieverOptions {
  readonly store: Store;
  readonly embedder: Embedder;
  /** What `usage` calls it. Default: its model. */
  readonly embedderName?: string;
  readonly reranker?: Reranker;
  /** Most chunks that the reranker looks at and that are found. Default 50, or as many as are asked for. */
  readonly rerankedCandidates?: number;
}

/** What {@link Retriever.retrieve} gives: the response, and the chunks behind its matches in the same order. */
export interface Retrieval {
  readonly response: SearchResponse;
  readonly chunks: readonly StoredChunk[];
}

export interface Retriever {
  /**
   * Ranked chunks: exactly `min(limit, matching chunks)` of them.
   *
   * @throws `invalid-query` (empty, or over 20,000 characters), `invalid-options`, `invalid-filter`, `aborted`, or what the
   *   embedder, reranker or store fails with.
   */
  search(query: string, options?: SearchOptions): Promise<SearchResponse>;
  /** As {@link search}, with the stored chunks themselves: what an answer is built from. */
  retrieve(query: string, options?: SearchOptions): Promise<Retrieval>;
  /** Where a document's best chunk stands for a query, and what kept it out. @throws `document-not-found`, and as `search` */
  explain(query: string, documentId: string, options?: SearchOptions): Promise<DocumentExplanation>;
}

/** How many a reranker looks at, unless more are asked for. */
const usuallyReranked = 50;

/**
 * Searches a store: a dense leg and a keyword leg at the same time, fused, reranked where there is a reranker.
 *
 * One round trip a leg and one for the chunks that are returned.
 *
 * ```ts
 * const retriever = createRetriever({ store, embedder });
 * const { matches } = await retriever.search('parental leave', { limit: 5 });
 * ```
 */
export function createRetriever(options: RetrieverOptions): Retriever {
  const { store, embedder, embedderName = embedder.fingerprint.model, reranker, rerankedCandidates } = options;
  const queryEmbeddings = createQueryEmbeddings(embedder);

  async function askLegs(search: CheckedSearch, signal: AbortSignal | undefined): Promise<LegResults> {
    const { query, filter, mode, candidates } = search;
    const scope = { limit: candidates, ...(filter && { filter }) };
    const notes: string[] = [];
    // Punctuation alone says nothing: a model would still place it somewhere, and what is nearest there is chance.
    if (!/[\p{L}\p{N}\p{S}]/u.test(query))
      return { notes: ['The query holds no word, number or symbol to search for.'] };
    const dense = async () => {
      if (mode === 'keyword') return undefined;
      const clock = startClock();
      const { vector, embeddedLength, tokens } = await queryEmbeddings.embed(query, signal);
      const embed = clock();
      throwIfAborted(signal);
      if (embeddedLength < query.length) {
        notes.push(
          `The embedder takes at most ${embedder.maxInputTokens} tokens: it saw the first ${embeddedLength} of the query's ` +
            `${query.length} characters.${mode === 'hybrid' ? ' The keyword search saw all of it.' : ''}`,
        );
      }
      const result: SearchResult | undefined = vector && (await store.searchDense({ vector, ...scope }, signal));
      return { result, tokens, embed, dense: clock() - embed };
    };
    const keyword = async () => {
      if (mode === 'dense') return undefined;
      const clock = startClock();
      const result = await store.searchKeyword({ text: query, ...scope }, signal);
      return { result, keyword: clock() };
    };
    const [denseLeg, keywordLeg] = await Promise.all([dense(), keyword()]);
    return { denseLeg, keywordLeg, notes };
  }

  async function retrieve(query: string, options: SearchOptions = {}): Promise<Retrieval> {
    const clock = startClock();
    const search = checkSearch(query, options, embedder.fusionCandidates);
    const { signal } = options;
    throwIfAborted(signal);

    const { denseLeg, keywordLeg, notes } = await askLegs(search, signal);
    throwIfAborted(signal);

    const fuseClock = startClock();
    const legs = { dense: denseLeg?.result?.matches, keyword: keywordLeg?.result.matches };
    const denseWeight = search.denseWeight ?? embedder.fusionWeight;
    const fused = fuse(legs, { method: search.fusion, denseWeight });
    const fuseMs = fuseClock();

    const fetchClock = startClock();
    const wanted = reranker ? (rerankedCandidates ?? Math.max(search.limit, usuallyReranked)) : search.limit;
    const fetched = await fetchChunks(store, fused, wanted);
    const fetchMs = fetchClock();
    throwIfAborted(signal);

    const rerankClock = startClock();
    const texts = reranker ? fetched.map(({ chunk }) => embeddedText(chunk)) : [];
    const ranked = reranker ? await rerank(reranker, search.query, fetched, texts, signal) : fetched;
    const rerankMs = rerankClock();
    const usage: SearchUsage[] = [];
    if (denseLeg && denseLeg.tokens > 0) {
      const { tokens } = denseLeg;
      usage.push(usageOf(embedderName, tokens, (tokens * (embedder.terms?.usdPerMillionTokens ?? 0)) / 1e6));
    }
    if (reranker && texts.length > 0) {
      const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), estimateTokens(search.query));
      usage.push(usageOf(reranker.id, tokens, reranker.costUsd?.(search.query, texts)));
    }
    const costUsd = usage.reduce((sum, each) => sum + (each.costUsd ?? 0), 0);
    const returned = ranked.slice(0, search.limit);

    const response: SearchResponse = {
      query: search.query,
      plan: { dense: denseLeg?.result?.method ?? 'off', keyword: keywordLeg ? 'on' : 'off' },
      matches: returned.map(toMatch),
      ...(notes.length > 0 && { notes }),
      ...(options.trace && {
        trace: {
          fusion: legs.dense && legs.keyword ? search.fusion : ('none' as const),
          denseWeight,
          candidatesPerLeg: search.candidates,
          candidates: traceCandidates(fused, ranked, search.limit),
        },
      }),
      ...(costUsd > 0 && { costUsd }),
      ...(usage.length > 0 && { usage }),
      ms: {
        ...(denseLeg && { embed: rounded(denseLeg.embed), dense: rounded(denseLeg.dense) }),
        ...(keywordLeg && { keyword: rounded(keywordLeg.keyword) }),
        fuse: rounded(fuseMs),
        ...(reranker && { rerank: rounded(rerankMs) }),
        fetch: rounded(fetchMs),
        total: rounded(clock()),
      },
    };
    return { response, chunks: returned.map(({ chunk }) => chunk) };
  }

  return {
    retrieve,
    async search(query, options) {
      return (await retrieve(query, options)).response;
    },
    async explain(query, documentId, options = {}) {
      const { response } = await retrieve(query, { ...options, trace: true });
      const search = checkSearch(query, options, embedder.fusionCandidates);
      const vector =
        search.mode === 'keyword' ? undefined : (await queryEmbeddings.embed(search.query, options.signal)).vector;
      const explanation = await explainDocument({
        store,
        search,
        vector,
        response,
        documentId,
        signal: options.signal,
      });
      return response.usage ? { ...explanation, usage: response.usage } : explanation;
    },
  };
}

function usageOf(model: string, tokens: number, costUsd: number | undefined): SearchUsage {
  return costUsd ? { model, tokens, costUsd } : { model, tokens };
}

interface LegResults {
  readonly denseLeg?: {
    readonly result: SearchResult | undefined;
    readonly tokens: number;
    readonly embed: number;
    readonly dense: number;
  };
  readonly keywordLeg?: { readonly result: SearchResult; readonly keyword: number };
  readonly notes: readonly string[];
}

interface RankedChunk {
  readonly candidate: FusedChunk;
  readonly chunk: StoredChunk;
  readonly rerank?: Standing;
}

/** The first `wanted` candidates that still exist: one may have been deleted since its leg was asked. */
async function fetchChunks(store: Store, fused: readonly FusedChunk[], wanted: number): Promise<RankedChunk[]> {
  const found: RankedChunk[] = [];
  for (let next = 0; found.length < wanted && next < fused.length; ) {
    const batch = fused.slice(next, next + wanted - found.length);
    next += batch.length;
    const chunks = new Map(
      (await store.getChunks(batch.map(({ chunkId }) => chunkId))).map((chunk) => [chunk.id, chunk] as const),
    );
    for (const candidate of batch) {
      const chunk = chunks.get(candidate.chunkId);
      if (chunk) found.push({ candidate, chunk });
    }
  }
  return found;
}

async function rerank(
  reranker: Reranker,
  query: string,
  ranked: readonly RankedChunk[],
  texts: readonly string[],
  signal: AbortSignal | undefined,
): Promise<RankedChunk[]> {
  if (ranked.length === 0) return [];
  const scores = await reranker.rerank(query, texts, { signal });
  if (scores.length !== ranked.length || !scores.every(Number.isFinite)) {
    throw new AquiferError('model-failed', `The reranker ${reranker.id} did not return one finite score a passage.`);
  }
  return ranked
    .map((item, index) => ({ ...item, score: scores[index]! }))
    .sort((a, b) => b.score - a.score || (a.chunk.id < b.chunk.id ? -1 : 1))
    .map(({ score, ...item }, index) => ({ ...item, rerank: { rank: index + 1, score } }));
}

function toMatch({ candidate, chunk, rerank: reranked }: RankedChunk, index: number): SearchMatch {
  const { dense, keyword, fused } = candidate;
  return {
    rank: index + 1,
    score: reranked?.score ?? fused.score,
    scores: {
      ...(dense && { dense: dense.score }),
      ...(keyword && { keyword: keyword.score }),
      fused: fused.score,
      ...(reranked && { rerank: reranked.score }),
    },
    documentId: chunk.documentId,
    chunkId: chunk.id,
    source: chunk.document.source,
    title: chunk.document.title,
    ...(chunk.pageStart !== undefined && { pageStart: chunk.pageStart }),
    ...(chunk.pageEnd !== undefined && { pageEnd: chunk.pageEnd }),
    headings: chunk.headings,
    start: chunk.start,
    end: chunk.end,
    text: chunk.text,
    uri: chunk.document.uri,
    metadata: chunk.document.metadata,
  };
}

function traceCandidates(
  fused: readonly FusedChunk[],
  ranked: readonly RankedChunk[],
  limit: number,
): CandidateTrace[] {
  const places = new Map(
    ranked.map((item, index) => [item.chunk.id, { rank: index + 1, rerank: item.rerank }] as const),
  );
  return fused.map((candidate) => {
    const place = places.get(candidate.chunkId);
    return {
      ...candidate,
      ...(place?.rerank && { rerank: place.rerank }),
      ...(place && place.rank <= limit && { returned: place.rank }),
    };
  });
}

function startClock(): () => number {
  const start = performance.now();
  return () => performance.now() - start;
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
