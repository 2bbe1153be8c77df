import { errorResponse, type WireResponse } from '../handle-request.js';
import type { Fields } from '../request-fields.js';
import { toWireError } from '../wire-error.js';
import { bodyFields, checkedId, pageToken, readClientToken, readDescription, readPage } from './checked-fields.js';
import type { ControlBackend, DataSourceKey, DataSourceShape, IngestionJobShape, Page } from './control-backend.js';
import type { ControlOperation, ControlRoute } from './control-route.js';
import { readDataSource } from './read-data-source.js';
import { readDocuments, readIdentifiers } from './read-documents.js';
import { readJobList } from './read-ingestion-job.js';
import { readKnowledgeBase } from './read-knowledge-base.js';

export interface ControlRequest extends ControlRoute {
  readonly requestId: string;
  readonly body: Uint8Array;
}

interface Call {
  readonly backend: ControlBackend;
  readonly fields: Fields;
  readonly knowledgeBaseId: string;
  readonly key: DataSourceKey;
  readonly ingestionJobId: string;
}

/** What was made or begun is answered with 202, but for a data source. */
const accepted = 202;

/**
 * Answers a request to the control plane of Bedrock Knowledge Bases (`bedrock-agent`) as Bedrock does. Never rejects: a failure is a response.
 *
 * @example
 * const response = await handleControlRequest({ ...controlRouteOf('PUT', '/knowledgebases/'), requestId, body }, backend);
 */
export async function handleControlRequest(request: ControlRequest, backend: ControlBackend): Promise<WireResponse> {
  const { operation, requestId, knowledgeBaseId, dataSourceId, ingestionJobId } = request;
  try {
    if (knowledgeBaseId !== '') checkedId(knowledgeBaseId, 'knowledgeBaseId');
    if (dataSourceId !== '') checkedId(dataSourceId, 'dataSourceId');
    if (ingestionJobId !== '') checkedId(ingestionJobId, 'ingestionJobId');
    const fields = bodyFields(request.body);
    const key = { knowledgeBaseId, dataSourceId };
    const { status = 200, answer } = await operations[operation]({
      backend,
      fields,
      knowledgeBaseId,
      key,
      ingestionJobId,
    });
    return {
      status,
      headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId },
      body: JSON.stringify(answer),
    };
  } catch (thrown) {
    const error = toWireError(thrown);
    const response = errorResponse(error, requestId);
    // The control plane's own status of this one.
    return error.name === 'ServiceQuotaExceededException' ? { ...response, status: 402 } : response;
  }
}

type Answered = Promise<{ readonly status?: number; readonly answer: object }>;

const operations: Readonly<Record<ControlOperation, (call: Call) => Answered>> = {
  async CreateKnowledgeBase({ backend, fields }) {
    return {
      status: accepted,
      answer: { knowledgeBase: await backend.createKnowledgeBase(readKnowledgeBase(fields)) },
    };
  },
  async GetKnowledgeBase({ backend, knowledgeBaseId }) {
    return { answer: { knowledgeBase: await backend.getKnowledgeBase(knowledgeBaseId) } };
  },
  async ListKnowledgeBases({ backend, fields }) {
    const page = readPage(fields);
    fields.refuseOthers();
    return { answer: pageOf('knowledgeBaseSummaries', await backend.listKnowledgeBases(page), (summary) => summary) };
  },
  async UpdateKnowledgeBase({ backend, fields, knowledgeBaseId }) {
    const knowledgeBase = await backend.updateKnowledgeBase(knowledgeBaseId, readKnowledgeBase(fields));
    return { status: accepted, answer: { knowledgeBase } };
  },
  async DeleteKnowledgeBase({ backend, knowledgeBaseId }) {
    await backend.deleteKnowledgeBase(knowledgeBaseId);
    return { status: accepted, answer: { knowledgeBaseId, status: 'DELETING' } };
  },
  async CreateDataSource({ backend, fields, knowledgeBaseId }) {
    return { answer: { dataSource: await backend.createDataSource(knowledgeBaseId, readDataSource(fields)) } };
  },
  async GetDataSource({ backend, key }) {
    return { answer: { dataSource: await backend.getDataSource(key) } };
  },
  async ListDataSources({ backend, fields, knowledgeBaseId }) {
    const page = readPage(fields);
    fields.refuseOthers();
    return {
      answer: pageOf('dataSourceSummaries', await backend.listDataSources(knowledgeBaseId, page), dataSourceSummary),
    };
  },
  async UpdateDataSource({ backend, fields, key }) {
    return { answer: { dataSource: await backend.updateDataSource(key, readDataSource(fields)) } };
  },
  async DeleteDataSource({ backend, key }) {
    await backend.deleteDataSource(key);
    return { status: accepted, answer: { ...key, status: 'DELETING' } };
  },
  async StartIngestionJob({ backend, fields, key }) {
    const call = { ...readDescription(fields), ...readClientToken(fields) };
    fields.refuseOthers();
    return { status: accepted, answer: { ingestionJob: await backend.startIngestionJob(key, call) } };
  },
  async GetIngestionJob({ backend, key, ingestionJobId }) {
    return { answer: { ingestionJob: await backend.getIngestionJob(key, ingestionJobId) } };
  },
  async ListIngestionJobs({ backend, fields, key }) {
    return {
      answer: pageOf('ingestionJobSummaries', await backend.listIngestionJobs(key, readJobList(fields)), jobSummary),
    };
  },
  async StopIngestionJob({ backend, key, ingestionJobId }) {
    return { status: accepted, answer: { ingestionJob: await backend.stopIngestionJob(key, ingestionJobId) } };
  },
  async IngestKnowledgeBaseDocuments({ backend, fields, key }) {
    const documents = readDocuments(fields);
    readClientToken(fields);
    fields.refuseOthers();
    return { status: accepted, answer: { documentDetails: await backend.ingestDocuments(key, documents) } };
  },
  async GetKnowledgeBaseDocuments({ backend, fields, key }) {
    const identifiers = readIdentifiers(fields);
    fields.refuseOthers();
    return { answer: { documentDetails: await backend.getDocuments(key, identifiers) } };
  },
  async ListKnowledgeBaseDocuments({ backend, fields, key }) {
    const page = readPage(fields);
    fields.refuseOthers();
    return { answer: pageOf('documentDetails', await backend.listDocuments(key, page), (document) => document) };
  },
  async DeleteKnowledgeBaseDocuments({ backend, fields, key }) {
    const identifiers = readIdentifiers(fields);
    readClientToken(fields);
    fields.refuseOthers();
    return { status: accepted, answer: { documentDetails: await backend.deleteDocuments(key, identifiers) } };
  },
};

function pageOf<Item>(name: string, { items, after }: Page<Item>, summaryOf: (item: Item) => object): object {
  return { [name]: items.map(summaryOf), ...(after !== undefined && { nextToken: pageToken(after) }) };
}

const dataSourceSummary = (source: DataSourceShape) => {
  const { knowledgeBaseId, dataSourceId, name, description, status, updatedAt } = source;
  return { knowledgeBaseId, dataSourceId, name, description, status, updatedAt };
};

const jobSummary = ({ failureReasons: _, ...summary }: IngestionJobShape) => summary;
