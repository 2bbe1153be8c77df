import type {
  Chunk,
  DocumentRecord,
  Embedder,
  Generator,
  GeneratorEvent,
  Metadata,
  PageSpan,
  Prompt,
  ScoredChunk,
  SearchScope,
  Store,
  StoredChunk,
} from '@aquifer/contracts';
import { filterMatches } from '@aquifer/contracts';
import { createAnalyser } from '@aquifer/text-analysis';

export interface SampleDocument {
  readonly id: string;
  readonly title?: string;
  readonly text: string;
  readonly pages?: readonly PageSpan[];
  readonly metadata?: Metadata;
}

/** What tests look at: which calls were made, in order. */
export interface SampleStore extends Store {
  readonly calls: string[];
}

const analyser = createAnalyser();

/**
 * A store of a few documents, one chunk a paragraph; a paragraph that begins with `# ` names the section that follows and
 * belongs to no chunk. Scores are counts of shared terms: as cosine their share, as keyword score their number.
 */
export function createSampleStore(documents: readonly SampleDocument[]): SampleStore {
  const chunks = documents.flatMap(chunksOf);
  const calls: string[] = [];
  const search = (scope: SearchScope, score: (chunk: StoredChunk) => number | undefined) => {
    const matches: ScoredChunk[] = chunks
      .filter((chunk) => !scope.filter || filterMatches(scope.filter, chunk.document.metadata))
      .filter((chunk) => !scope.documentIds || scope.documentIds.includes(chunk.documentId))
      .flatMap((chunk) => {
        const value = score(chunk);
        return value === undefined ? [] : [{ chunkId: chunk.id, documentId: chunk.documentId, score: value }];
      })
      .sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1))
      .slice(0, scope.limit);
    return { matches, method: 'exact' as const };
  };
  const store = {
    calls,
    searchDense: async (query: SearchScope & { vector: Float32Array }) => {
      calls.push('searchDense');
      return search(query, (chunk) => cosine(query.vector, vectorOf(chunk.text)));
    },
    searchKeyword: async (query: SearchScope & { text: string }) => {
      calls.push('searchKeyword');
      const wanted = analyser.terms(query.text);
      return search(query, (chunk) => {
        const terms = analyser.terms(`${chunk.context} ${chunk.text}`);
        return wanted.filter((term) => terms.includes(term)).length || undefined;
      });
    },
    scoreDense: async (vector: Float32Array, ids: readonly string[]) =>
      ids.map((id) => {
        const chunk = chunks.find((other) => other.id === id);
        return chunk && cosine(vector, vectorOf(chunk.text));
      }),
    getChunks: async (ids: readonly string[]) => {
      calls.push('getChunks');
      return ids.flatMap((id) => chunks.filter((chunk) => chunk.id === id));
    },
    listChunks: async (documentId: string, { from = 0, to = Infinity } = {}) => {
      calls.push('listChunks');
      return chunks.filter((chunk) => chunk.documentId === documentId && chunk.ordinal >= from && chunk.ordinal < to);
    },
    getDocument: async (id: string) => chunks.find((chunk) => chunk.documentId === id)?.document,
    getContent: async (id: string) => {
      calls.push('getContent');
      const document = documents.find((other) => other.id === id);
      const blocks = [...(document?.text.matchAll(/(?<=^# ).+$/gm) ?? [])].map(({ index, 0: { length } }) => ({
        kind: 'heading' as const,
        start: index,
        end: index + length,
        level: 1,
      }));
      return document && { text: document.text, pages: document.pages ?? [], blocks };
    },
  };
  return store as unknown as SampleStore;
}

function chunksOf(sample: SampleDocument): StoredChunk[] {
  const { id, title = id, text, pages = [], metadata = {} } = sample;
  const chunks: Chunk[] = [];
  let headings: string[] = [];
  for (const match of text.matchAll(/[^\n]+(?:\n(?!\n)[^\n]+)*/g)) {
    if (match[0].startsWith('# ')) {
      headings = [match[0].slice(2)];
      continue;
    }
    const start = match.index;
    const end = start + match[0].length;
    const touched = pages.filter((page) => page.start < end && page.end > start);
    chunks.push({
      id: `${id}-${chunks.length}`,
      documentId: id,
      ordinal: chunks.length,
      start,
      end,
      ...(touched.length > 0 && { pageStart: touched[0]!.page, pageEnd: touched.at(-1)!.page }),
      headings,
      text: match[0],
      context: [title, ...headings].join('\n'),
      tableHeader: '',
      tokens: Math.ceil(match[0].length / 4),
    });
  }
  const document: DocumentRecord = {
    id,
    sourceId: 'sample',
    source: `${id}.md`,
    uri: `file:///${id}.md`,
    mediaType: 'text/markdown',
    title,
    stamp: '',
    contentHash: '',
    bytes: text.length,
    metadata,
    status: 'indexed',
    chunkCount: chunks.length,
    tokenCount: 0,
    indexedAt: 0,
  };
  return chunks.map((chunk) => ({ ...chunk, document }));
}

const dimensions = 64;

/** Terms hashed into a few buckets: alike texts get alike vectors. */
export function vectorOf(text: string): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const term of analyser.terms(text)) {
    let hash = 7;
    for (const character of term) hash = (Math.imul(hash, 31) + character.codePointAt(0)!) | 0;
    vector[(hash >>> 0) % dimensions]! += 1;
  }
  return vector;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, index) => sum + value * y[index]!, 0);
  return dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1);
}

export function createSampleEmbedder(overrides: Partial<Embedder> = {}): Embedder & { readonly embedded: string[] } {
  const embedded: string[] = [];
  return {
    embedded,
    fingerprint: { provider: 'test', model: 'sample', dimensions, normalised: false },
    dimensions,
    maxInputTokens: 100_000,
    fusionWeight: 0.5,
    embed: async (texts) => {
      embedded.push(...texts);
      return { vectors: texts.map(vectorOf), tokens: texts.map((text) => text.length) };
    },
    ...overrides,
  };
}

/** A model that says what it is told to, in the given pieces. */
export function createScriptedGenerator(
  script: (prompt: Prompt) => readonly string[],
  options: {
    readonly reason?: 'end' | 'abstained' | 'max-tokens';
    readonly failsWith?: unknown;
    readonly contextTokens?: number;
  } = {},
): Generator & { readonly prompts: Prompt[] } {
  const prompts: Prompt[] = [];
  return {
    prompts,
    id: 'scripted',
    description: 'scripted model',
    contextTokens: options.contextTokens ?? 100_000,
    async *generate(prompt): AsyncIterable<GeneratorEvent> {
      prompts.push(prompt);
      for (const text of script(prompt)) yield { type: 'text', text };
      if (options.failsWith !== undefined) throw options.failsWith;
      yield { type: 'stop', reason: options.reason ?? 'end', usage: { inputTokens: 10, outputTokens: 5 } };
    },
  };
}
