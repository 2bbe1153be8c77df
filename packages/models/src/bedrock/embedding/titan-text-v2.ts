import { binaryVector } from './binary-vector.js';
import type { EmbeddingFamily } from './embedding-family.js';
import { field, isNumbers, tokenCount } from './response-fields.js';

/**
 * Titan Text Embeddings V2. `embedding` may be missing where only binary was asked for, and `embeddingsByType` in some regions, so both are
 * read. Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
 */
export const titanTextV2: EmbeddingFamily = {
  hasBinary: true,
  maxCharacters: () => 50_000,
  request: ([inputText], _, { dimensions, normalise, type }) => ({
    inputText,
    dimensions,
    normalize: normalise,
    embeddingTypes: [type],
  }),
  read(body, { dimensions, type }) {
    const byType = field(field(body, 'embeddingsByType'), type);
    const found = isNumbers(byType) ? byType : type === 'float' ? field(body, 'embedding') : undefined;
    if (!isNumbers(found)) throw new TypeError(`it has no embedding of the type ${type}`);
    const vector = type === 'binary' ? binaryVector(found, dimensions) : found;
    return { vectors: [vector], tokens: tokenCount(field(body, 'inputTextTokenCount')) };
  },
};
