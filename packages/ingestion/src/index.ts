export { createFolderSource, type FolderSourceOptions } from './folder-source.js';
export {
  createIngestor,
  type IngestionEvent,
  type IngestionRunOptions,
  type IngestionSummary,
  type Ingestor,
  type IngestorOptions,
} from './ingestor.js';
export { createMemorySource, type MemoryDocument, type MemorySourceOptions } from './memory-source.js';
export type { IngestionProgress } from './progress.js';
export { type ReEmbedOptions, reEmbed } from './re-embed.js';
