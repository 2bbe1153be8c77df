import type { PageCall } from './checked-fields.js';
import type { DataSourceCall } from './read-data-source.js';
import type { DocumentCall, DocumentIdentifier } from './read-documents.js';
import type { IngestionJobStatus, ListJobsCall } from './read-ingestion-job.js';
import type { KnowledgeBaseCall } from './read-knowledge-base.js';

/** A part of a listing; `after` says where it ended, if there is more. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly after?: string;
}

/** Shapes of the service model: see API_agent_KnowledgeBase.html and those beside it. Times are ISO 8601. */
export interface KnowledgeBaseShape {
  readonly knowledgeBaseId: string;
  readonly name: string;
  readonly knowledgeBaseArn: string;
  readonly description?: string;
  readonly roleArn: string;
  readonly knowledgeBaseConfiguration: object;
  readonly storageConfiguration?: object;
  readonly status: 'ACTIVE' | 'DELETING';
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type KnowledgeBaseSummaryShape = Pick<
  KnowledgeBaseShape,
  'knowledgeBaseId' | 'name' | 'description' | 'status' | 'updatedAt'
>;

export interface DataSourceShape {
  readonly knowledgeBaseId: string;
  readonly dataSourceId: string;
  readonly name: string;
  readonly status: 'AVAILABLE' | 'DELETING' | 'DELETE_UNSUCCESSFUL';
  readonly description?: string;
  readonly dataSourceConfiguration: object;
  readonly vectorIngestionConfiguration?: object;
  readonly dataDeletionPolicy: 'DELETE' | 'RETAIN';
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly failureReasons?: readonly string[];
}

export interface IngestionJobShape {
  readonly knowledgeBaseId: string;
  readonly dataSourceId: string;
  readonly ingestionJobId: string;
  readonly description?: string;
  readonly status: IngestionJobStatus;
  readonly statistics: Readonly<Record<string, number>>;
  readonly failureReasons?: readonly string[];
  readonly startedAt: string;
  readonly updatedAt: string;
}

export interface DocumentShape {
  readonly knowledgeBaseId: string;
  readonly dataSourceId: string;
  readonly status: string;
  readonly identifier: DocumentIdentifier;
  readonly statusReason?: string;
  readonly updatedAt?: string;
}

/** Which data source of which knowledge base: ids of the right form, which need not exist. */
export interface DataSourceKey {
  readonly knowledgeBaseId: string;
  readonly dataSourceId: string;
}

/** What keeps knowledge bases, their data sources and their documents, behind the control plane's API. Errors are `WireException`s or `AquiferError`s. */
export interface ControlBackend {
  createKnowledgeBase(call: KnowledgeBaseCall): Promise<KnowledgeBaseShape>;
  getKnowledgeBase(knowledgeBaseId: string): Promise<KnowledgeBaseShape>;
  listKnowledgeBases(page: PageCall): Promise<Page<KnowledgeBaseSummaryShape>>;
  updateKnowledgeBase(knowledgeBaseId: string, call: KnowledgeBaseCall): Promise<KnowledgeBaseShape>;
  deleteKnowledgeBase(knowledgeBaseId: string): Promise<void>;

  createDataSource(knowledgeBaseId: string, call: DataSourceCall): Promise<DataSourceShape>;
  getDataSource(key: DataSourceKey): Promise<DataSourceShape>;
  listDataSources(knowledgeBaseId: string, page: PageCall): Promise<Page<DataSourceShape>>;
  updateDataSource(key: DataSourceKey, call: DataSourceCall): Promise<DataSourceShape>;
  deleteDataSource(key: DataSourceKey): Promise<void>;

  startIngestionJob(
    key: DataSourceKey,
    call: { readonly description?: string; readonly clientToken?: string },
  ): Promise<IngestionJobShape>;
  getIngestionJob(key: DataSourceKey, ingestionJobId: string): Promise<IngestionJobShape>;
  listIngestionJobs(key: DataSourceKey, call: ListJobsCall): Promise<Page<IngestionJobShape>>;
  stopIngestionJob(key: DataSourceKey, ingestionJobId: string): Promise<IngestionJobShape>;

  ingestDocuments(key: DataSourceKey, documents: readonly DocumentCall[]): Promise<readonly DocumentShape[]>;
  getDocuments(key: DataSourceKey, identifiers: readonly DocumentIdentifier[]): Promise<readonly DocumentShape[]>;
  listDocuments(key: DataSourceKey, page: PageCall): Promise<Page<DocumentShape>>;
  deleteDocuments(key: DataSourceKey, identifiers: readonly DocumentIdentifier[]): Promise<readonly DocumentShape[]>;
}
