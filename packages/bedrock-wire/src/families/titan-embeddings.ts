import { estimateTokens } from '@aquifer/text-analysis';
import { schemaWords } from '../field-words.js';
import { readFields } from '../request-fields.js';
import { binaryComponents, joinJson } from '../vector-json.js';
import { invalidRequest } from '../wire-error.js';
import type { InvokeCall, WholeFamily } from './family.js';

const maxInputTokens = 8_192;
const maxCharacters = 50_000;

/** Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html */
export const titanEmbeddingsV1: WholeFamily = {
  kind: 'whole',
  async invoke(call) {
    const fields = readFields(call.body, schemaWords);
    const text = fields.requiredText('inputText', { min: 1, max: maxCharacters });
    fields.refuseOthers();
    const tokens = checkedTokens(text);
    const vector = await embedText(call, text, 1536);
    return {
      body: joinJson('{"embedding":', vector, `,"inputTextTokenCount":${tokens}}`),
      inputTokens: tokens,
    };
  },
};

/** Source: the same page. `embedding` is absent where only binary was asked for. */
export const titanEmbeddingsV2: WholeFamily = {
  kind: 'whole',
  async invoke(call) {
    const fields = readFields(call.body, schemaWords);
    const text = fields.requiredText('inputText', { min: 1, max: maxCharacters });
    const dimensions = fields.choice('dimensions', [1024, 512, 256]) ?? 1024;
    // Vectors come with length 1 from every backend, so asking for unnormalised ones changes nothing here.
    fields.flag('normalize');
    const types = fields.texts('embeddingTypes', { min: 1, max: 2 }) ?? ['float'];
    for (const [index, type] of types.entries()) {
      if (type !== 'float' && type !== 'binary') {
        throw invalidRequest(schemaWords.notAChoice(['embeddingTypes', index], type, ['float', 'binary']));
      }
    }
    fields.refuseOthers();
    const tokens = checkedTokens(text);
    const vector = await embedText(call, text, dimensions);
    const floats = types.includes('float') ? vector : undefined;
    const binary = types.includes('binary') ? JSON.stringify(binaryComponents(vector)) : undefined;
    return {
      body: joinJson(
        ...(floats ? ['{"embedding":', floats, ',"embeddingsByType":{"float":', floats] : ['{"embeddingsByType":{']),
        binary ? `${floats ? ',' : ''}"binary":${binary}` : '',
        `},"inputTextTokenCount":${tokens}}`,
      ),
      inputTokens: tokens,
    };
  },
};

function checkedTokens(text: string): number {
  const tokens = estimateTokens(text);
  if (tokens <= maxInputTokens) return tokens;
  throw invalidRequest(
    `400 Bad Request: Too many input tokens. Max input tokens: ${maxInputTokens}, request input token count: ${tokens} `,
  );
}

async function embedText({ modelId, backend, signal }: InvokeCall, text: string, dimensions: number) {
  const inputs = [{ type: 'text', text }] as const;
  // Titan is not told whether a text is a question; questions and documents must therefore be embedded alike.
  const [vector] = await backend.embed({ modelId, inputs, purpose: undefined, dimensions, signal });
  return vector!;
}
