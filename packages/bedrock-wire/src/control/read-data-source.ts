import { type Fields, refuseUnsupported } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import { formedText, readClientToken, readDescription, readName } from './checked-fields.js';

/** What CreateDataSource and UpdateDataSource say. */
export interface DataSourceCall {
  readonly name: string;
  readonly description?: string;
  readonly place: DataSourcePlace;
  readonly dataDeletionPolicy: 'DELETE' | 'RETAIN';
  /** As they were given, to be given back. */
  readonly dataSourceConfiguration: object;
  readonly vectorIngestionConfiguration?: object;
  readonly clientToken?: string;
}

/** Where its documents come from. */
export type DataSourcePlace =
  | { readonly type: 'CUSTOM' }
  /** Keys begin with the prefix; empty: the whole bucket. */
  | { readonly type: 'S3'; readonly bucket: string; readonly prefix: string };

const types = [
  'S3',
  'WEB',
  'CONFLUENCE',
  'SALESFORCE',
  'SHAREPOINT',
  'CUSTOM',
  'REDSHIFT_METADATA',
  'MANAGED_KNOWLEDGE_BASE_CONNECTOR',
] as const;

/** Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_CreateDataSource.html */
export function readDataSource(fields: Fields): DataSourceCall {
  const name = readName(fields);
  const configuration = fields.object('dataSourceConfiguration') ?? fields.missing('dataSourceConfiguration');
  const place = readPlace(configuration);
  refuseUnsupported(fields, {
    serverSideEncryptionConfiguration: 'how the index is encrypted is said when the service is started.',
  });
  readIngestion(fields.object('vectorIngestionConfiguration'));
  const call = {
    name,
    ...readDescription(fields),
    place,
    dataDeletionPolicy: fields.choice('dataDeletionPolicy', ['RETAIN', 'DELETE']) ?? 'DELETE',
    dataSourceConfiguration: fields.raw('dataSourceConfiguration') as object,
    ...(fields.has('vectorIngestionConfiguration') && {
      vectorIngestionConfiguration: fields.raw('vectorIngestionConfiguration') as object,
    }),
    ...readClientToken(fields),
  };
  fields.refuseOthers();
  return call;
}

function readPlace(fields: Fields): DataSourcePlace {
  const type = fields.choice('type', types) ?? fields.missing('type');
  if (type === 'CUSTOM') {
    fields.refuseOthers();
    return { type };
  }
  if (type !== 'S3') {
    throw invalidRequest(
      `Data sources of the type ${type} are not supported: this service has those of S3 and CUSTOM.`,
    );
  }
  const s3 = fields.object('s3Configuration') ?? fields.missing('s3Configuration');
  fields.refuseOthers();
  const arn =
    formedText(s3, 'bucketArn', 'arn:aws(?:|-cn|-us-gov):s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]', {
      min: 1,
      max: 2_048,
    }) ?? s3.missing('bucketArn');
  const [prefix = ''] = s3.texts('inclusionPrefixes', { min: 1, max: 1 }) ?? [];
  if (prefix.length > 300) {
    throw invalidRequest(
      "1 validation error detected: Value at 'dataSourceConfiguration.s3Configuration.inclusionPrefixes' failed to satisfy constraint: Member must have length less than or equal to 300",
    );
  }
  formedText(s3, 'bucketOwnerAccountId', '[0-9]{12}');
  s3.refuseOthers();
  return { type, bucket: arn.slice(arn.lastIndexOf(':') + 1), prefix };
}

/** Chunks are cut by the settings of the service, the same for all of a knowledge base: fixed sizes are taken and given back, and change nothing. */
function readIngestion(fields: Fields | undefined): void {
  refuseUnsupported(fields, {
    customTransformationConfiguration: 'no Lambda functions are called.',
    contextEnrichmentConfiguration: 'nothing is added to chunks.',
    parsingConfiguration: 'documents are read by the readers of this service.',
  });
  const chunking = fields?.object('chunkingConfiguration');
  fields?.refuseOthers();
  if (chunking === undefined) return;
  const strategy =
    chunking.choice('chunkingStrategy', ['FIXED_SIZE', 'NONE', 'HIERARCHICAL', 'SEMANTIC']) ??
    chunking.missing('chunkingStrategy');
  if (strategy !== 'FIXED_SIZE') {
    throw invalidRequest(
      `The chunkingStrategy ${strategy} is not supported: leave chunkingConfiguration out, or use FIXED_SIZE.`,
    );
  }
  const sizes = chunking.object('fixedSizeChunkingConfiguration') ?? chunking.missing('fixedSizeChunkingConfiguration');
  chunking.refuseOthers();
  sizes.integer('maxTokens', { min: 1, max: 8_192 }) ?? sizes.missing('maxTokens');
  sizes.integer('overlapPercentage', { min: 1, max: 99 }) ?? sizes.missing('overlapPercentage');
  sizes.refuseOthers();
}
