import { type ControlBackend, type DataSourceKey, type IngestionJobShape, invalidRequest } from '@aquifer/bedrock-wire';
import {
  conflict,
  controlFolderOf,
  createResourceId,
  type IngestionJobRecord,
  keptControlFolder,
  notFound,
  sourceIdOf,
} from './control-folder.js';
import type { ControlSurroundings } from './control-plane.js';
import { findDataSource, refuseDeleting } from './data-sources.js';
import { currentJob, isUnfinished } from './ingestion-runs.js';

type Operations = Pick<
  ControlBackend,
  'startIngestionJob' | 'getIngestionJob' | 'listIngestionJobs' | 'stopIngestionJob'
>;

/** Of one data source: older ones are forgotten. */
const mostJobs = 1_000;

/** Jobs that bring the index up to date with a data source. */
export function ingestionJobOperations(surroundings: ControlSurroundings): Operations {
  const { tenant, runs, now, idempotent } = surroundings;

  async function open(key: DataSourceKey) {
    const { knowledgeBase, source } = await findDataSource(surroundings, key);
    const { jobs, stops } = keptControlFolder(knowledgeBase);
    return { knowledgeBase, source, jobs: jobs(source.dataSourceId), stops: stops(source.dataSourceId) };
  }
  type Opened = Awaited<ReturnType<typeof open>>;
  interface Found {
    readonly job: IngestionJobRecord;
    readonly isStopping: boolean;
  }

  function shapeOf(key: DataSourceKey, { job, isStopping }: Found): IngestionJobShape {
    const { startedAt, updatedAt, ...shown } = job;
    return {
      ...shown,
      ...key,
      ...(isStopping && isUnfinished(job) && { status: 'STOPPING' }),
      startedAt: new Date(startedAt).toISOString(),
      updatedAt: new Date(updatedAt).toISOString(),
    };
  }

  async function read({ jobs, stops }: Opened, ingestionJobId: string): Promise<Found | undefined> {
    // First: it goes when the job is over.
    const isStopping = (await stops.read(ingestionJobId)) !== undefined;
    const job = await jobs.read(ingestionJobId);
    return job && { job: currentJob(job, now()), isStopping };
  }

  /** Oldest first. */
  async function all(opened: Opened): Promise<Found[]> {
    const found: Found[] = [];
    for (const id of await opened.jobs.names()) {
      const each = await read(opened, id);
      if (each !== undefined) found.push(each);
    }
    return found.sort(({ job: a }, { job: b }) => {
      return a.startedAt - b.startedAt || (a.ingestionJobId < b.ingestionJobId ? -1 : 1);
    });
  }

  async function find(opened: Opened, ingestionJobId: string): Promise<Found> {
    const found = await read(opened, ingestionJobId);
    if (found !== undefined) return found;
    throw notFound(`There is no ingestion job ${ingestionJobId} of the data source ${opened.source.dataSourceId}.`);
  }

  return {
    async startIngestionJob(key, { clientToken, description }) {
      const opened = await open(key);
      const { knowledgeBase, source, jobs } = opened;
      refuseDeleting(source);
      if (source.place.type !== 'S3') {
        throw invalidRequest(
          `The data source ${source.name} has the type CUSTOM: send its documents with IngestKnowledgeBaseDocuments, which needs no ingestion job.`,
        );
      }
      surroundings.checkPlace(source.place);
      return idempotent(clientToken && `job ${tenant} ${JSON.stringify(key)} ${clientToken}`, async () => {
        const present = await all(opened);
        const other = present.find(({ job }) => isUnfinished(job))?.job;
        if (other !== undefined) {
          throw conflict(
            `The ingestion job ${other.ingestionJobId} of the data source ${source.dataSourceId} is not over yet.`,
          );
        }
        for (const { job } of present.slice(0, Math.max(0, present.length - mostJobs + 1))) {
          await jobs.remove(job.ingestionJobId);
        }
        await surroundings.observer.accessed({
          action: 'add-document',
          knowledgeBaseId: knowledgeBase.id,
          documents: [{ source: sourceIdOf(source.dataSourceId) }],
        });
        const at = now();
        const job: IngestionJobRecord = {
          ingestionJobId: createResourceId(),
          ...(description !== undefined && { description }),
          status: 'STARTING',
          statistics: {},
          startedAt: at,
          updatedAt: at,
        };
        await jobs.write(job.ingestionJobId, job);
        runs.start(tenant, await surroundings.afterwards(knowledgeBase), source, job);
        return shapeOf(key, { job, isStopping: false });
      });
    },
    async getIngestionJob(key, ingestionJobId) {
      const opened = await open(key);
      return shapeOf(key, await find(opened, ingestionJobId));
    },
    async listIngestionJobs(key, { statuses, sortBy, order, limit, after }) {
      const { knowledgeBase } = await findDataSource(surroundings, key);
      // Where nothing is kept there are none.
      if (controlFolderOf(knowledgeBase) === undefined) return { items: [] };
      const opened = await open(key);
      const shapes = (await all(opened)).map((found) => shapeOf(key, found));
      const wanted = shapes.filter(({ status }) => statuses === undefined || statuses.includes(status));
      if (sortBy === 'STATUS') wanted.sort((a, b) => a.status.localeCompare(b.status));
      if (order === 'DESCENDING') wanted.reverse();
      const start = after === undefined ? 0 : wanted.findIndex(({ ingestionJobId }) => ingestionJobId === after) + 1;
      const items = wanted.slice(start, start + limit);
      const last = items.at(-1);
      return { items, ...(wanted.length > start + limit && last && { after: last.ingestionJobId }) };
    },
    async stopIngestionJob(key, ingestionJobId) {
      const opened = await open(key);
      const { job } = await find(opened, ingestionJobId);
      if (!isUnfinished(job)) throw conflict(`The ingestion job ${ingestionJobId} is over: ${job.status}.`);
      await opened.stops.write(ingestionJobId, { askedAt: now() });
      // One of another process finds what was written.
      void runs.stop(tenant, key.knowledgeBaseId, key.dataSourceId);
      return shapeOf(key, { job, isStopping: true });
    },
  };
}
