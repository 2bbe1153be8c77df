import type { Fields } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import { type PageCall, readPage } from './checked-fields.js';

export const ingestionJobStatuses = ['STARTING', 'IN_PROGRESS', 'COMPLETE', 'FAILED', 'STOPPING', 'STOPPED'] as const;
export type IngestionJobStatus = (typeof ingestionJobStatuses)[number];

export interface ListJobsCall extends PageCall {
  /** Only these. Absent: all. */
  readonly statuses?: readonly IngestionJobStatus[];
  readonly sortBy: 'STATUS' | 'STARTED_AT';
  readonly order: 'ASCENDING' | 'DESCENDING';
}

/** Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_ListIngestionJobs.html */
export function readJobList(fields: Fields): ListJobsCall {
  const [filter] = fields.objects('filters', { min: 1, max: 1 }) ?? [];
  const statuses = filter && readFilter(filter);
  const sort = fields.object('sortBy');
  const sortBy = sort && (sort.choice('attribute', ['STATUS', 'STARTED_AT']) ?? sort.missing('attribute'));
  const order = sort && (sort.choice('order', ['ASCENDING', 'DESCENDING']) ?? sort.missing('order'));
  sort?.refuseOthers();
  const page = readPage(fields);
  fields.refuseOthers();
  return { ...page, sortBy: sortBy ?? 'STARTED_AT', order: order ?? 'DESCENDING', ...(statuses && { statuses }) };
}

function readFilter(fields: Fields): readonly IngestionJobStatus[] {
  fields.choice('attribute', ['STATUS']) ?? fields.missing('attribute');
  fields.choice('operator', ['EQ']) ?? fields.missing('operator');
  const values = fields.texts('values', { max: 10 }) ?? fields.missing('values');
  fields.refuseOthers();
  return values.map((value) => {
    const status = ingestionJobStatuses.find((each) => each === value);
    if (status !== undefined) return status;
    throw invalidRequest(
      `${JSON.stringify(value.slice(0, 80))} is no status of an ingestion job: ${ingestionJobStatuses.join(', ')}.`,
    );
  });
}
