import { type ControlBackend, type DataSourceKey, invalidRequest } from '@aquifer/bedrock-wire';
import { notFound } from './control-folder.js';
import type { ControlSurroundings } from './control-plane.js';
import { findDataSource } from './data-sources.js';

type Operations = Pick<
  ControlBackend,
  'startIngestionJob' | 'getIngestionJob' | 'listIngestionJobs' | 'stopIngestionJob'
>;

/** Jobs of data sources that have documents of their own; those that documents are sent to have none. */
export function ingestionJobOperations(surroundings: ControlSurroundings): Operations {
  const noJob = async (key: DataSourceKey, ingestionJobId: string) => {
    await findDataSource(surroundings, key);
    throw notFound(`There is no ingestion job ${ingestionJobId} of the data source ${key.dataSourceId}.`);
  };
  return {
    async startIngestionJob(key) {
      const { source } = await findDataSource(surroundings, key);
      throw invalidRequest(
        `The data source ${source.name} has the type CUSTOM: send its documents with IngestKnowledgeBaseDocuments, which needs no ingestion job.`,
      );
    },
    getIngestionJob: noJob,
    stopIngestionJob: noJob,
    async listIngestionJobs(key) {
      await findDataSource(surroundings, key);
      return { items: [] };
    },
  };
}
