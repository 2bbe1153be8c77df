import { frameworkWords } from '../field-words.js';
import { type Fields, readFields } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import type { GroundedAnswer, GroundedCall, GroundedEvent } from './knowledge-base-backend.js';
import { readRetrievalConfiguration, refuseGuardrail, resultOf } from './retrieve.js';

/** Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_RetrieveAndGenerate.html */
export function readRetrieveAndGenerate(body: unknown): GroundedCall {
  const fields = readFields(body, frameworkWords);
  const query = (fields.object('input') ?? fields.missing('input')).requiredText('text', { max: 1_000 });
  const sessionId = fields.text('sessionId', { min: 2, max: 100 });
  const configuration =
    fields.object('retrieveAndGenerateConfiguration') ?? fields.missing('retrieveAndGenerateConfiguration');
  const type = configuration.choice('type', ['KNOWLEDGE_BASE', 'EXTERNAL_SOURCES']) ?? configuration.missing('type');
  if (type === 'EXTERNAL_SOURCES') {
    throw invalidRequest('EXTERNAL_SOURCES is not supported: put the documents into a knowledge base.');
  }
  fields.object('userContext');
  fields.object('sessionConfiguration');
  fields.refuseOthers();
  const knowledgeBase =
    configuration.object('knowledgeBaseConfiguration') ?? configuration.missing('knowledgeBaseConfiguration');
  const knowledgeBaseId = knowledgeBase.requiredText('knowledgeBaseId');
  const modelId = knowledgeBase.requiredText('modelArn', { min: 1, max: 2_048 });
  const retrieval = readRetrievalConfiguration(knowledgeBase.object('retrievalConfiguration'));
  if (knowledgeBase.has('orchestrationConfiguration')) {
    throw invalidRequest('orchestrationConfiguration is not supported: questions are searched for as they are.');
  }
  const generation = knowledgeBase.object('generationConfiguration');
  knowledgeBase.refuseOthers();
  return {
    ...retrieval,
    ...readGeneration(generation),
    knowledgeBaseId,
    modelId,
    query,
    ...(sessionId !== undefined && { sessionId }),
  };
}

type Generation = Pick<GroundedCall, 'temperature' | 'topP' | 'maxTokens' | 'stopSequences' | 'promptTemplate'>;

function readGeneration(fields: Fields | undefined): Generation {
  if (fields === undefined) return {};
  refuseGuardrail(fields);
  for (const name of ['additionalModelRequestFields', 'performanceConfig']) {
    if (fields.has(name)) throw invalidRequest(`generationConfiguration.${name} is not supported.`);
  }
  const promptTemplate = readPromptTemplate(fields.object('promptTemplate'));
  const inference = fields.object('inferenceConfig')?.object('textInferenceConfig');
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
  const maxTokens = inference.integer('maxTokens', { min: 1, max: 65_536 });
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
