export {
  AquiferError,
  type Block,
  type Chunk,
  type DocumentContent,
  type DocumentRecord,
  type DocumentStatus,
  type Embedder,
  type EmbedderTerms,
  type ErrorCode,
  type Filter,
  filterMatches,
  filterOperators,
  type GeneratedImage,
  type GeneratedImages,
  type Generator,
  type ImageGenerator,
  isAquiferError,
  type Metadata,
  type PageSpan,
  parseFilter,
  type Reranker,
  type Source,
  type SourceItem,
  type Store,
} from '@aquifer/contracts';
export type { IngestionEvent, IngestionProgress, IngestionSummary, S3Connection } from '@aquifer/ingestion';
export { documentIdOf } from '@aquifer/ingestion/document-ids';
export { createMemorySource, type MemoryDocument } from '@aquifer/ingestion/memory-source';
export type { QueueDepth } from '@aquifer/postgres-store';
export { isPostgresLocation } from '@aquifer/postgres-store/postgres-location';
export type {
  Answer,
  AnswerEvent,
  DocumentExplanation,
  SearchMatch,
  SearchOptions,
  SearchResponse,
  SearchUsage,
} from '@aquifer/retrieval';
export { type ConversationTurn, continued, keptCharacters, mostTurns } from '@aquifer/retrieval/conversation';
export { type BedrockUpstream, bedrockUpstream } from './bedrock-upstream.js';
export { knowledgeBaseOptions, modelOptions } from './config/knowledge-base-options.js';
export { type LoadedSettings, type LoadSettingsOptions, loadSettings } from './config/load-settings.js';
export {
  configurationSchema,
  type SettingName,
  type SettingValues,
  settingNames,
  settings,
  variableOf,
} from './config/settings.js';
export { dryRunIndex } from './dry-run-index.js';
export { type Examination, type ExamineOptions, examine, type Finding } from './examine.js';
export { type GenerateImageByNameOptions, generateImage } from './generate-image.js';
export {
  type IngestionWorker,
  type IngestionWorkerOptions,
  startIngestionWorker,
  type WorkerEvent,
} from './ingestion-worker.js';
export type {
  AskOptions,
  IndexOptions,
  IndexSummary,
  IndexUsage,
  KnowledgeBase,
  KnowledgeBaseOptions,
  KnowledgeBaseStatus,
  SeparateFolder,
} from './knowledge-base.js';
export { type ListedModel, listModels } from './list-models.js';
export type { ModelOptions } from './model-options.js';
export { embedderByName, generatorByName, imageGeneratorByName, rerankerFor } from './models-by-name.js';
export { exportKnowledgeBase } from './moving/export-knowledge-base.js';
export { importKnowledgeBase } from './moving/import-knowledge-base.js';
export type { MovedKnowledgeBase, MoveOptions, MoveProgress, MoveSummary } from './moving/move-options.js';
export { openKnowledgeBase } from './open-knowledge-base.js';
export { withoutPassword } from './open-store.js';
export { type ReEmbedKnowledgeBaseOptions, reEmbedKnowledgeBase } from './re-embed-knowledge-base.js';
export { type ReadObjectOptions, readObject } from './read-object.js';
export { type SharedKnowledgeBases, sharedKnowledgeBases } from './shared-knowledge-bases.js';
export { type Stage, stages } from './stage-clock.js';
export { openTemporaryKnowledgeBase } from './temporary-knowledge-base.js';
export { tuneForIndexing } from './tune-for-indexing.js';
export { type WatchIndexOptions, watchIndex } from './watch-index.js';
