/** How token vectors become one vector. `cls`: the first token's. `last`: the last token's. */
export type Pooling = 'mean' | 'cls' | 'last';

/** What has to be known about an embedding model beyond its files. */
export interface ModelTraits {
  readonly pooling: Pooling;
  readonly normalise: boolean;
  /** Written before every question and every document, as the model was trained. */
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  /** Tokens that the model takes, prefix and special tokens included. */
  readonly maxTokens: number;
  /** See `Embedder.fusionWeight`. */
  readonly fusionWeight: number;
  /** See `Embedder.fusionCandidates`. */
  readonly fusionCandidates: number;
}

interface KnownModel extends Partial<ModelTraits> {
  /** Matches the last part of a hub id, or the name of a folder. The first match counts. */
  readonly name: RegExp;
}

/** What holds for models that are not in the table and whose files do not say otherwise. */
export const defaultTraits: ModelTraits = {
  pooling: 'mean',
  normalise: true,
  queryPrefix: '',
  documentPrefix: '',
  maxTokens: 512,
  fusionWeight: 0.55,
  fusionCandidates: 600,
};

const webSearchPrefix = 'Represent this sentence for searching relevant passages: ';

/**
 * Common models and what their model cards say. Fusion measured with bench/ranking.mjs: all-MiniLM-L6-v2 on six English sets and
 * multilingual-e5-small on two Japanese ones rank best on average with a weight of 0.55 over 600 candidates; a bag of static
 * token vectors pulls keyword search down from 0.2 on. The others start at the default.
 */
const knownModels: readonly KnownModel[] = [
  { name: /^all-minilm-l6-v2/i, maxTokens: 256 },
  { name: /^all-minilm-l12-v2/i, maxTokens: 128 },
  { name: /^all-(mpnet-base-v2|distilroberta-v1)/i, maxTokens: 384 },
  { name: /^paraphrase-multilingual-/i, maxTokens: 128 },
  { name: /^multi-qa-(minilm|mpnet).*-cos/i, maxTokens: 512 },
  { name: /^multi-qa-mpnet.*-dot/i, pooling: 'cls', maxTokens: 512 },
  {
    name: /^(multilingual-)?e5-.*-instruct/i,
    queryPrefix: 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ',
    maxTokens: 512,
  },
  { name: /^(multilingual-)?e5-/i, queryPrefix: 'query: ', documentPrefix: 'passage: ', maxTokens: 512 },
  { name: /^bge-m3/i, pooling: 'cls', maxTokens: 8192 },
  { name: /^bge-.*-en/i, pooling: 'cls', queryPrefix: webSearchPrefix, maxTokens: 512 },
  { name: /^bge-.*-zh/i, pooling: 'cls', queryPrefix: '为这个句子生成表示以用于检索相关文章：', maxTokens: 512 },
  { name: /^gte-(small|base|large)(-zh)?$/i, maxTokens: 512 },
  { name: /^gte-/i, pooling: 'cls', maxTokens: 8192 },
  {
    name: /^nomic-embed-text/i,
    queryPrefix: 'search_query: ',
    documentPrefix: 'search_document: ',
    maxTokens: 8192,
  },
  { name: /^(snowflake-)?arctic-embed(2|-.*-v2)/i, pooling: 'cls', queryPrefix: 'query: ', maxTokens: 8192 },
  { name: /^(snowflake-)?arctic-embed(-|:|$)/i, pooling: 'cls', queryPrefix: webSearchPrefix, maxTokens: 512 },
  { name: /^mxbai-embed-large/i, pooling: 'cls', queryPrefix: webSearchPrefix, maxTokens: 512 },
  { name: /^mxbai-embed-xsmall/i, queryPrefix: webSearchPrefix, maxTokens: 4096 },
  { name: /^jina-embeddings-v2/i, maxTokens: 8192 },
  {
    name: /^qwen3-embedding/i,
    pooling: 'last',
    queryPrefix: 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:',
    maxTokens: 32_768,
  },
  { name: /^granite-embedding/i, pooling: 'cls', maxTokens: 512 },
  {
    name: /^embeddinggemma/i,
    queryPrefix: 'task: search result | query: ',
    documentPrefix: 'title: none | text: ',
    maxTokens: 2048,
  },
  { name: /^ruri-v3/i, queryPrefix: '検索クエリ: ', documentPrefix: '検索文書: ', maxTokens: 8192 },
  { name: /^ruri-/i, queryPrefix: 'クエリ: ', documentPrefix: '文章: ', maxTokens: 512 },
  { name: /^(potion-|m2v[-_]|model2vec)/i, maxTokens: 100_000, fusionWeight: 0.1, fusionCandidates: 100 },
];

/** What the table says about a model, by folder name or hub id. Empty for unknown models. */
export function knownTraits(model: string): Partial<ModelTraits> {
  const name = model.split(/[\\/]/).at(-1) ?? '';
  const { name: _pattern, ...traits } = knownModels.find((known) => known.name.test(name)) ?? { name: /$/ };
  return traits;
}
