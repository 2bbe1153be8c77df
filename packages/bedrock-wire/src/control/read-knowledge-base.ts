import { type Fields, refuseUnsupported } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import { formedText, readClientToken, readDescription, readName } from './checked-fields.js';

/** What CreateKnowledgeBase and UpdateKnowledgeBase say. */
export interface KnowledgeBaseCall {
  readonly name: string;
  readonly description?: string;
  readonly roleArn: string;
  readonly embeddingModelArn: string;
  readonly dimensions?: number;
  /** As it was given, to be given back. */
  readonly knowledgeBaseConfiguration: object;
  readonly storageConfiguration?: object;
  readonly clientToken?: string;
}

const storageTypes = [
  'OPENSEARCH_SERVERLESS',
  'PINECONE',
  'REDIS_ENTERPRISE_CLOUD',
  'RDS',
  'MONGO_DB_ATLAS',
  'NEPTUNE_ANALYTICS',
  'OPENSEARCH_MANAGED_CLUSTER',
  'S3_VECTORS',
] as const;
const kinds = ['VECTOR', 'KENDRA', 'SQL', 'MANAGED'] as const;

/** Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_CreateKnowledgeBase.html */
export function readKnowledgeBase(fields: Fields): KnowledgeBaseCall {
  const name = readName(fields);
  const roleArn =
    formedText(fields, 'roleArn', 'arn:aws(?:-[^:]+)?:iam::(?:[0-9]{12})?:role/.+', { max: 2_048 }) ??
    fields.missing('roleArn');
  const configuration = fields.object('knowledgeBaseConfiguration') ?? fields.missing('knowledgeBaseConfiguration');
  const vector = readVectorConfiguration(configuration);
  const storage = fields.object('storageConfiguration');
  const type = storage?.choice('type', storageTypes);
  if (storage !== undefined && type === undefined) storage.missing('type');
  if (type !== undefined && type !== 'RDS') {
    throw invalidRequest(
      `storageConfiguration of the type ${type} is not supported: vectors are kept in the store that this service was started with. Leave storageConfiguration out, or give RDS, which is taken and ignored.`,
    );
  }
  const tags = fields.object('tags');
  if (tags !== undefined) throw invalidRequest('tags are not supported: leave them out.');
  const call = {
    name,
    ...readDescription(fields),
    roleArn,
    ...vector,
    knowledgeBaseConfiguration: fields.raw('knowledgeBaseConfiguration') as object,
    ...(storage && { storageConfiguration: fields.raw('storageConfiguration') as object }),
    ...readClientToken(fields),
  };
  fields.refuseOthers();
  return call;
}

function readVectorConfiguration(fields: Fields): Pick<KnowledgeBaseCall, 'embeddingModelArn' | 'dimensions'> {
  const type = fields.choice('type', kinds) ?? fields.missing('type');
  if (type !== 'VECTOR') {
    throw invalidRequest(`Knowledge bases of the type ${type} are not supported: this service has those of VECTOR.`);
  }
  const vector =
    fields.object('vectorKnowledgeBaseConfiguration') ?? fields.missing('vectorKnowledgeBaseConfiguration');
  fields.refuseOthers();
  const embeddingModelArn = vector.requiredText('embeddingModelArn', { min: 20, max: 2_048 });
  refuseUnsupported(vector, { supplementalDataStorageConfiguration: 'pictures are not kept beside documents.' });
  const model = vector.object('embeddingModelConfiguration')?.object('bedrockEmbeddingModelConfiguration');
  vector.refuseOthers();
  const dimensions = model?.integer('dimensions', { min: 0, max: 4_096 });
  if (model?.choice('embeddingDataType', ['FLOAT32', 'BINARY']) === 'BINARY') {
    throw invalidRequest('The embeddingDataType BINARY is not supported: use FLOAT32.');
  }
  refuseUnsupported(model, { audio: 'speech is not read.', video: 'films are not read.' });
  model?.refuseOthers();
  return { embeddingModelArn, ...(dimensions && { dimensions }) };
}
