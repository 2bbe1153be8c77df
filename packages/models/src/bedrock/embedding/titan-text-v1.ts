import type { EmbeddingFamily } from './embedding-family.js';
import { field, isNumbers, tokenCount } from './response-fields.js';

/** Titan Embeddings G1 – Text. Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html */
export const titanTextV1: EmbeddingFamily = {
  hasBinary: false,
  maxCharacters: () => 50_000,
  request: ([inputText]) => ({ inputText }),
  read(body) {
    const embedding = field(body, 'embedding');
    if (!isNumbers(embedding)) throw new TypeError('it has no "embedding"');
    return { vectors: [embedding], tokens: tokenCount(field(body, 'inputTextTokenCount')) };
  },
};
