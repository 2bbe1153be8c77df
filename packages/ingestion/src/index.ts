export type { IngestionStore } from './dry-run.js';
export {
  createIngestor,
  type IngestionEvent,
  type IngestionRunOptions,
  type IngestionSummary,
  type Ingestor,
  type IngestorOptions,
} from './ingestor.js';
export type { IngestionProgress } from './progress.js';
export { type ReEmbedOptions, reEmbed } from './re-embed.js';
export { createFolderSource, type FolderSourceOptions } from './sources/folder-source.js';
export { createFolderWatch, type FolderWatch, type FolderWatchOptions } from './sources/folder-watch.js';
export { createMemorySource, type MemoryDocument, type MemorySourceOptions } from './sources/memory-source.js';
