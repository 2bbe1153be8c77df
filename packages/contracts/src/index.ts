export { allocateMapped, mostKeptBytes } from './allocate-mapped.js';
export type { Analyser } from './analyser.js';
export {
  type BedrockFamily,
  type BedrockModelId,
  type BedrockResource,
  bedrockFamilies,
  parseBedrockModelId,
} from './bedrock-model-id.js';
export { type Chunk, type Chunker, type ChunkInput, embeddedText, type TokenCounter } from './chunk.js';
export { collectGarbage } from './collect-garbage.js';
export {
  type DocumentRecord,
  type DocumentStatus,
  documentStatuses,
  type PageSpan,
  type PassagePlace,
  pageRange,
} from './document.js';
export {
  type Embedder,
  type EmbedderFingerprint,
  type EmbedderTerms,
  type Embeddings,
  type EmbedOptions,
  type EmbedPurpose,
  fingerprintText,
} from './embedder.js';
export {
  AquiferError,
  type AquiferErrorOptions,
  describeError,
  type ErrorCode,
  type ErrorDescription,
  fromPlainError,
  isAquiferError,
  type PlainError,
  throwIfAborted,
  toPlainError,
} from './errors.js';
export { type Filter, type FilterOperator, type FilterScalar, filterOperators, parseFilter } from './filter.js';
export { compareCodePoints, filterMatches } from './filter-matches.js';
export type {
  GenerateOptions,
  Generator,
  GeneratorEvent,
  Prompt,
  PromptPassage,
  StopReason,
  TokenUsage,
} from './generator.js';
export type { GeneratedImage, GeneratedImages, GenerateImageOptions, ImageGenerator } from './image-generator.js';
export { keepingProcessAlive } from './keeping-process-alive.js';
export { inverseDocumentFrequency, keywordRanking } from './keyword-ranking.js';
export type { Manifest } from './manifest.js';
export { type Metadata, type MetadataValue, maxMetadataKeyLength, parseMetadata } from './metadata.js';
export {
  type Attachment,
  type Block,
  type BlockKind,
  blockKinds,
  type DocumentReader,
  type ExtractedDocument,
  type Reader,
  type ReadInput,
  type ReadOptions,
} from './reader.js';
export type { Reranker } from './reranker.js';
export { createRestingThread, type RestingThread } from './resting-thread.js';
export type { QuotaRequest, QuotaReservation, SharedQuota } from './shared-quota.js';
export type { Source, SourceContent, SourceItem, SourceOmission } from './source.js';
export {
  type ChunkWrite,
  type DenseQuery,
  type DocumentContent,
  type DocumentWrite,
  type KeywordQuery,
  type ListDocumentsQuery,
  maxSearchLimit,
  type ScoredChunk,
  type SearchResult,
  type SearchScope,
  type Store,
  type StoredChunk,
  type StoreStats,
} from './store.js';
export {
  checkRecord,
  checkScope,
  checkTexts,
  checkVector,
  checkWholeNumber,
  checkWrite,
  isStorable,
} from './store-checks.js';
