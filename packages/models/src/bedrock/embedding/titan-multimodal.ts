import { AquiferError } from '@aquifer/contracts';
import type { EmbeddingFamily } from './embedding-family.js';
import { field, isNumbers, tokenCount } from './response-fields.js';

/**
 * Titan Multimodal Embeddings G1, by its texts. An error may come with status 200, in `message`.
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html
 */
export const titanMultimodal: EmbeddingFamily = {
  hasBinary: false,
  request: ([inputText], _, { dimensions }) => ({
    inputText,
    embeddingConfig: { outputEmbeddingLength: dimensions },
  }),
  read(body, { model }) {
    const embedding = field(body, 'embedding');
    const message = field(body, 'message');
    if (typeof message === 'string' && message !== '') {
      throw new AquiferError('model-rejected', `${model} refused a text: ${message}`);
    }
    if (!isNumbers(embedding)) throw new TypeError('it has no "embedding"');
    return { vectors: [embedding], tokens: tokenCount(field(body, 'inputTextTokenCount')) };
  },
};
