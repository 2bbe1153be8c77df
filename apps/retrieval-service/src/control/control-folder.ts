import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DataSourceCall,
  type DataSourcePlace,
  type DataSourceShape,
  type IngestionJobShape,
  invalidRequest,
  type KnowledgeBaseShape,
  WireException,
} from '@aquifer/bedrock-wire';
import type { HostedKnowledgeBase, KnowledgeBaseHost } from '../hosting/knowledge-base-host.js';
import { createRecordFolder, type RecordFolder } from './record-folder.js';
import { createWaitingDocuments, type WaitingDocuments } from './waiting-documents.js';

/** What Bedrock knows of a knowledge base and the index does not. Times are milliseconds since 1970. */
export interface KnowledgeBaseRecord
  extends Pick<KnowledgeBaseShape, 'description' | 'roleArn' | 'knowledgeBaseConfiguration' | 'storageConfiguration'> {
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface DataSourceRecord
  extends Omit<DataSourceCall, 'clientToken'>,
    Pick<DataSourceShape, 'dataSourceId' | 'status' | 'failureReasons'> {
  readonly place: DataSourcePlace;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface IngestionJobRecord
  extends Omit<IngestionJobShape, 'knowledgeBaseId' | 'dataSourceId' | 'startedAt' | 'updatedAt'> {
  readonly startedAt: number;
  readonly updatedAt: number;
}

/**
 * What the control plane keeps of one knowledge base: in the folder of files that were sent, hidden, so that it is never indexed, and goes with them
 * when the knowledge base is deleted.
 */
export interface ControlFolder {
  readonly knowledgeBase: RecordFolder<KnowledgeBaseRecord>;
  readonly dataSources: RecordFolder<DataSourceRecord>;
  /** Ingestion jobs of a data source, and which of them somebody has stopped. */
  jobs(dataSourceId: string): RecordFolder<IngestionJobRecord>;
  stops(dataSourceId: string): RecordFolder<{ readonly askedAt: number }>;
  waiting(dataSourceId: string): WaitingDocuments;
  /** What was asked for documents of a data source and is not done. */
  forgetWaiting(dataSourceId: string): Promise<void>;
  /** Everything about a data source but its documents in the index. */
  forget(dataSourceId: string): Promise<void>;
}

export const knowledgeBaseRecord = 'knowledge-base';

/** Undefined where the service keeps nothing that is sent. */
export function controlFolderOf({ uploads }: HostedKnowledgeBase): ControlFolder | undefined {
  if (uploads === undefined) return undefined;
  const path = join(uploads.path, '.control');
  const dataSources = createRecordFolder<DataSourceRecord>(join(path, 'data-sources'));
  const jobsPath = (dataSourceId: string) => join(path, 'jobs', dataSourceId);
  const waitingPath = (dataSourceId: string) => join(path, 'waiting', dataSourceId);
  const forgetWaiting = (dataSourceId: string) => rm(waitingPath(dataSourceId), { recursive: true, force: true });
  return {
    knowledgeBase: createRecordFolder(path),
    dataSources,
    waiting: (dataSourceId) => createWaitingDocuments(waitingPath(dataSourceId)),
    jobs: (dataSourceId) => createRecordFolder(jobsPath(dataSourceId)),
    stops: (dataSourceId) => createRecordFolder(join(jobsPath(dataSourceId), 'stops')),
    forgetWaiting,
    async forget(dataSourceId) {
      await rm(jobsPath(dataSourceId), { recursive: true, force: true });
      await forgetWaiting(dataSourceId);
      await dataSources.remove(dataSourceId);
    },
  };
}

/** @throws ValidationException where the service keeps nothing that is sent */
export function keptControlFolder(knowledgeBase: HostedKnowledgeBase): ControlFolder {
  const folder = controlFolderOf(knowledgeBase);
  if (folder !== undefined) return folder;
  throw invalidRequest(
    'This service takes no documents: it was started without a folder for them. The setting uploads names one.',
  );
}

/** The knowledge base of that id. @throws ResourceNotFoundException, also for one of another tenant */
export async function findKnowledgeBase(
  host: Pick<KnowledgeBaseHost, 'get'>,
  tenant: string,
  knowledgeBaseId: string,
): Promise<HostedKnowledgeBase> {
  const found = await host.get(tenant, knowledgeBaseId);
  // Hosts find by name as well.
  if (found.id === knowledgeBaseId) return found;
  throw notFound(`There is no knowledge base ${knowledgeBaseId}.`);
}

export function notFound(message: string): WireException {
  return new WireException({ name: 'ResourceNotFoundException', message });
}

export function conflict(message: string): WireException {
  return new WireException({ name: 'ConflictException', message });
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Ten characters, as Bedrock's ids are. */
export const createResourceId = (): string =>
  Array.from({ length: 10 }, () => alphabet[randomInt(alphabet.length)]).join('');

/** Documents of a data source in the index are those of this source. */
export const sourceIdOf = (dataSourceId: string): string => `data-source:${dataSourceId}`;
