export { embeddingKeys } from './chunk-vectors.js';
export {
  assertSameProcessing,
  createDocumentIngestor,
  type DocumentIngestor,
  type DocumentIngestorOptions,
} from './document-ingestor.js';
export type { IngestionStore } from './dry-run.js';
export type { HandedOutcome, HandedProgress, HandedResult, HandedWork, Handover } from './handover.js';
export {
  createIngestor,
  type EmbeddingUsage,
  type IngestionEvent,
  type IngestionRunOptions,
  type IngestionSummary,
  type Ingestor,
  type IngestorOptions,
} from './ingestor.js';
export type { IngestionProgress } from './progress.js';
export { type ReEmbedOptions, reEmbed } from './re-embed.js';
export { createFolderSource, type FolderSourceOptions, readFolderItem } from './sources/folder-source.js';
export { createFolderWatch, type FolderWatch, type FolderWatchOptions } from './sources/folder-watch.js';
export { createMemorySource, type MemoryDocument, type MemorySourceOptions } from './sources/memory-source.js';
export { connectS3, openS3Bucket, type S3Bucket, type S3Connection, type S3Object } from './sources/s3/s3-bucket.js';
export { isS3Location, parseS3Location, type S3Location, s3Location } from './sources/s3/s3-location.js';
export { createS3Source, readS3Item, type S3SourceOptions } from './sources/s3/s3-source.js';
