import { type ControlBackend, type DataSourceKey, type DataSourceShape, invalidRequest } from '@aquifer/bedrock-wire';
import type { HostedKnowledgeBase } from '../hosting/knowledge-base-host.js';
import {
  conflict,
  controlFolderOf,
  createResourceId,
  type DataSourceRecord,
  findKnowledgeBase,
  keptControlFolder,
  notFound,
  sourceIdOf,
} from './control-folder.js';
import type { ControlSurroundings } from './control-plane.js';
import { pageOfNamed } from './pages.js';

type Operations = Pick<
  ControlBackend,
  'createDataSource' | 'getDataSource' | 'listDataSources' | 'updateDataSource' | 'deleteDataSource'
>;

/** A data source of one of the tenant's knowledge bases. @throws ResourceNotFoundException */
export async function findDataSource(
  { host, tenant }: Pick<ControlSurroundings, 'host' | 'tenant'>,
  { knowledgeBaseId, dataSourceId }: DataSourceKey,
): Promise<{ readonly knowledgeBase: HostedKnowledgeBase; readonly source: DataSourceRecord }> {
  const knowledgeBase = await findKnowledgeBase(host, tenant, knowledgeBaseId);
  const source = await controlFolderOf(knowledgeBase)?.dataSources.read(dataSourceId);
  if (source !== undefined) return { knowledgeBase, source };
  throw notFound(`There is no data source ${dataSourceId} of the knowledge base ${knowledgeBaseId}.`);
}

/** All of a knowledge base, in order of name. */
export async function dataSourcesOf(knowledgeBase: HostedKnowledgeBase): Promise<readonly DataSourceRecord[]> {
  const folder = controlFolderOf(knowledgeBase)?.dataSources;
  const found: DataSourceRecord[] = [];
  for (const id of (await folder?.names()) ?? []) {
    const record = await folder?.read(id);
    if (record !== undefined) found.push(record);
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function dataSourceOperations(surroundings: ControlSurroundings): Operations {
  const { host, tenant, now, idempotent } = surroundings;

  async function refuseTaken(knowledgeBase: HostedKnowledgeBase, name: string, own?: string): Promise<void> {
    const taken = (await dataSourcesOf(knowledgeBase)).find((each) => each.name === name && each.dataSourceId !== own);
    if (taken !== undefined)
      throw conflict(`There is a data source of the name ${name} already: ${taken.dataSourceId}.`);
  }

  return {
    async createDataSource(knowledgeBaseId, { clientToken, ...call }) {
      const knowledgeBase = await findKnowledgeBase(host, tenant, knowledgeBaseId);
      const { dataSources } = keptControlFolder(knowledgeBase);
      return idempotent(clientToken && `data source ${tenant} ${knowledgeBaseId} ${clientToken}`, async () => {
        surroundings.checkPlace(call.place);
        await refuseTaken(knowledgeBase, call.name);
        const at = now();
        const dataSourceId = createResourceId();
        const record: DataSourceRecord = { ...call, dataSourceId, status: 'AVAILABLE', createdAt: at, updatedAt: at };
        await dataSources.write(dataSourceId, record);
        return shapeOf(knowledgeBaseId, record);
      });
    },
    async getDataSource(key) {
      return shapeOf(key.knowledgeBaseId, (await findDataSource(surroundings, key)).source);
    },
    async listDataSources(knowledgeBaseId, page) {
      const sources = await dataSourcesOf(await findKnowledgeBase(host, tenant, knowledgeBaseId));
      return pageOfNamed(
        sources.map((source) => shapeOf(knowledgeBaseId, source)),
        page,
      );
    },
    async updateDataSource(key, { clientToken: _, ...call }) {
      const { knowledgeBase, source } = await findDataSource(surroundings, key);
      refuseDeleting(source);
      if (call.place.type !== source.place.type) {
        throw invalidRequest(`The type of a data source cannot change: this one has ${source.place.type}.`);
      }
      surroundings.checkPlace(call.place);
      await refuseTaken(knowledgeBase, call.name, source.dataSourceId);
      const { dataSourceId, status, createdAt } = source;
      const record: DataSourceRecord = { ...call, dataSourceId, status, createdAt, updatedAt: now() };
      await keptControlFolder(knowledgeBase).dataSources.write(dataSourceId, record);
      return shapeOf(key.knowledgeBaseId, record);
    },
    async deleteDataSource(key) {
      const { knowledgeBase, source } = await findDataSource(surroundings, key);
      refuseDeleting(source);
      // Its documents are not named one by one: there may be any number.
      await surroundings.observer.accessed({
        action: 'delete-documents',
        knowledgeBaseId: knowledgeBase.id,
        documents: [{ source: sourceIdOf(source.dataSourceId) }],
      });
      const deleting: DataSourceRecord = { ...source, status: 'DELETING', updatedAt: now() };
      await keptControlFolder(knowledgeBase).dataSources.write(source.dataSourceId, deleting);
      surroundings.startDeleting(await surroundings.afterwards(knowledgeBase), deleting);
    },
  };
}

/** @throws ConflictException for one that is going away */
export function refuseDeleting({ status, dataSourceId }: DataSourceRecord): void {
  if (status === 'DELETING') throw conflict(`The data source ${dataSourceId} is being deleted.`);
}

function shapeOf(
  knowledgeBaseId: string,
  { place: _, createdAt, updatedAt, ...record }: DataSourceRecord,
): DataSourceShape {
  return {
    ...record,
    knowledgeBaseId,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  };
}
