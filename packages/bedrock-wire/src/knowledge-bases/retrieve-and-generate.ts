import { frameworkWords } from '../field-words.js';
import { base64Bytes, type Fields, readFields, refuseUnsupported } from '../request-fields.js';
import { invalidRequest, type WireException } from '../wire-error.js';
import type {
  AskCall,
  ExternalCall,
  ExternalDocument,
  GroundedAnswer,
  GroundedCall,
  GroundedEvent,
} from './knowledge-base-backend.js';
import { readRetrievalConfiguration, refuseGuardrail, refuseUserContext, resultOf } from './retrieve.js';

/** Of a document that comes with a question: the longest `ByteContentBlob` of the service model. */
export const mostDocumentBytes = 10_485_760;

/** Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_RetrieveAndGenerate.html */
export function readRetrieveAndGenerate(body: unknown): GroundedCall | ExternalCall {
  const fields = readFields(body, frameworkWords);
  const input = fields.object('input') ?? fields.missing('input');
  const query = input.requiredText('text', { max: 1_000 });
  input.refuseOthers();
  const sessionId = fields.text('sessionId', { min: 2, max: 100 });
  const configuration =
    fields.object('retrieveAndGenerateConfiguration') ?? fields.missing('retrieveAndGenerateConfiguration');
  const type = configuration.choice('type', ['KNOWLEDGE_BASE', 'EXTERNAL_SOURCES']) ?? configuration.missing('type');
  refuseUserContext(fields);
  refuseUnsupported(fields, {
    sessionConfiguration: 'sessions are kept in the memory of the service, and no key encrypts them.',
  });
  fields.refuseOthers();
  const name = type === 'KNOWLEDGE_BASE' ? 'knowledgeBaseConfiguration' : 'externalSourcesConfiguration';
  const chosen = configuration.object(name) ?? configuration.missing(name);
  configuration.refuseOthers();
  const asked = { query, ...(sessionId !== undefined && { sessionId }) };
  return { ...(type === 'KNOWLEDGE_BASE' ? readKnowledgeBase(chosen) : readExternalSources(chosen)), ...asked };
}

function readKnowledgeBase(fields: Fields): Omit<GroundedCall, 'query'> {
  const knowledgeBaseId = fields.requiredText('knowledgeBaseId');
  const retrieval = readRetrievalConfiguration(fields.object('retrievalConfiguration'));
  if (fields.has('orchestrationConfiguration')) {
    throw invalidRequest('orchestrationConfiguration is not supported: questions are searched for as they are.');
  }
  return { ...retrieval, knowledgeBaseId, ...readModel(fields) };
}

/** Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_ExternalSourcesRetrieveAndGenerateConfiguration.html */
function readExternalSources(fields: Fields): Omit<ExternalCall, 'query'> {
  const [source] = fields.objects('sources', { min: 1, max: 1 }) ?? fields.missing('sources');
  return { document: readExternalDocument(source!), ...readModel(fields) };
}

function readExternalDocument(fields: Fields): ExternalDocument {
  const type = fields.choice('sourceType', ['S3', 'BYTE_CONTENT']) ?? fields.missing('sourceType');
  if (type === 'S3') {
    const place = fields.object('s3Location') ?? fields.missing('s3Location');
    const uri = place.requiredText('uri', { min: 1, max: 1_024 });
    if (!/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/.+$/s.test(uri)) throw badPattern(place, 'uri', 's3://bucket/key');
    place.refuseOthers();
    fields.refuseOthers();
    return { type: 's3', uri };
  }
  const content = fields.object('byteContent') ?? fields.missing('byteContent');
  const identifier = content.requiredText('identifier', { min: 1, max: 1_024 });
  const contentType = content.requiredText('contentType');
  if (!/^[a-z]{1,20}\/./.test(contentType)) throw badPattern(content, 'contentType', '[a-z]{1,20}/.{1,20}');
  const bytes = readBytes(content);
  content.refuseOthers();
  fields.refuseOthers();
  return { type: 'bytes', identifier, contentType, bytes };
}

function readBytes(fields: Fields): Uint8Array {
  const bytes = base64Bytes(fields.requiredText('data', { min: 1 }));
  const path = [...fields.path, 'data'];
  if (bytes === undefined) throw invalidRequest(`The field ${path.join('.')} is not valid base64.`);
  if (bytes.length > mostDocumentBytes) {
    throw invalidRequest(frameworkWords.tooLong(path, bytes.length, mostDocumentBytes, 'text'));
  }
  return bytes;
}

function badPattern(fields: Fields, name: string, pattern: string): WireException {
  return invalidRequest(
    `1 validation error detected: Value at '${[...fields.path, name].join('.')}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern}`,
  );
}

/** Who answers and how, which is asked for alike whatever it is answered from. */
function readModel(fields: Fields): Generation & Pick<AskCall, 'modelId'> {
  const modelId = fields.requiredText('modelArn', { min: 1, max: 2_048 });
  const generation = readGeneration(fields.object('generationConfiguration'));
  fields.refuseOthers();
  return { ...generation, modelId };
}

type Generation = Pick<AskCall, 'temperature' | 'topP' | 'maxTokens' | 'stopSequences' | 'promptTemplate'>;

function readGeneration(fields: Fields | undefined): Generation {
  if (fields === undefined) return {};
  refuseGuardrail(fields);
  for (const name of ['additionalModelRequestFields', 'performanceConfig']) {
    if (fields.has(name)) throw invalidRequest(`generationConfiguration.${name} is not supported.`);
  }
  const promptTemplate = readPromptTemplate(fields.object('promptTemplate'));
  const inferences = fields.object('inferenceConfig');
  const inference = inferences?.object('textInferenceConfig');
  inferences?.refuseOthers();
  fields.refuseOthers();
  return { ...(promptTemplate !== undefined && { promptTemplate }), ...(inference && readInference(inference)) };
}

function readPromptTemplate(fields: Fields | undefined): string | undefined {
  const template = fields?.text('textPromptTemplate', { min: 1, max: 4_000 });
  fields?.refuseOthers();
  if (template !== undefined && !template.includes('$search_results$')) {
    throw invalidRequest('The prompt template must contain the placeholder $search_results$.');
  }
  return template;
}

function readInference(inference: Fields): Omit<Generation, 'promptTemplate'> {
  const temperature = inference.number('temperature', { min: 0, max: 1 });
  const maxTokens = inference.integer('maxTokens', { min: 0, max: 65_536 });
  const topP = inference.number('topP', { min: 0, max: 1 });
  const stopSequences = inference.texts('stopSequences', { max: 4 });
  inference.refuseOthers();
  return {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(stopSequences !== undefined && { stopSequences }),
  };
}

type CitationEvent = Extract<GroundedEvent, { type: 'citation' }>;

/** A cited part of the answer. The end of a span is the last character's own place: programs that read it add one. */
export function citationOf(answer: string, { start, end, passages }: CitationEvent): object {
  return {
    generatedResponsePart: {
      textResponsePart: { text: answer.slice(start, end), span: { start, end: Math.max(start, end - 1) } },
    },
    retrievedReferences: passages.map(resultOf),
  };
}

/** The whole answer. */
export async function grounded({ sessionId, events }: GroundedAnswer): Promise<object> {
  let text = '';
  const citations: CitationEvent[] = [];
  for await (const event of events) {
    if (event.type === 'text') text += event.text;
    else citations.push(event);
  }
  return { sessionId, output: { text }, citations: citations.map((citation) => citationOf(text, citation)) };
}
