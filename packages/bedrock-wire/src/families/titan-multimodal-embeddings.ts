import { estimateTokens } from '@aquifer/text-analysis';
import { schemaWords } from '../field-words.js';
import type { EmbedInput } from '../model-backend.js';
import { base64Bytes, readFields } from '../request-fields.js';
import { joinJson } from '../vector-json.js';
import { invalidRequest } from '../wire-error.js';
import type { WholeFamily } from './family.js';

const maxInputTokens = 256;
const maxImageBytes = 25_000_000;

/**
 * Text, picture, or both, whose vector is the mean of theirs.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html
 */
export const titanMultimodalEmbeddings: WholeFamily = {
  kind: 'whole',
  async invoke({ body, modelId, backend, signal }) {
    const fields = readFields(body, schemaWords);
    const text = fields.text('inputText', { min: 1 });
    const image = fields.text('inputImage', { min: 1 });
    const configuration = fields.object('embeddingConfig');
    const dimensions = configuration?.choice('outputEmbeddingLength', [1024, 384, 256]) ?? 1024;
    configuration?.refuseOthers();
    fields.refuseOthers();
    const inputs: EmbedInput[] = [];
    let tokens = 0;
    if (text !== undefined) {
      tokens = estimateTokens(text);
      if (tokens > maxInputTokens) {
        throw invalidRequest(
          `400 Bad Request: Too many input tokens. Max input tokens: ${maxInputTokens}, request input token count: ${tokens} `,
        );
      }
      inputs.push({ type: 'text', text });
    }
    if (image !== undefined) {
      const bytes = base64Bytes(image);
      if (bytes === undefined || bytes.length > maxImageBytes) {
        throw invalidRequest('inputImage: the image must be base64 of at most 25 MB.');
      }
      inputs.push({ type: 'image', bytes });
    }
    if (inputs.length === 0) {
      throw invalidRequest(
        'Malformed input request: #: required key [inputText] or [inputImage] not found, please reformat your input and try again.',
      );
    }
    const vectors = await backend.embed({ modelId, inputs, purpose: undefined, dimensions, signal });
    const vector = vectors[0]!.map((value, index) =>
      vectors.length === 1 ? value : (value + vectors[1]![index]!) / vectors.length,
    );
    return {
      body: joinJson('{"embedding":', vector, `,"inputTextTokenCount":${tokens},"message":null}`),
      inputTokens: tokens,
    };
  },
};
