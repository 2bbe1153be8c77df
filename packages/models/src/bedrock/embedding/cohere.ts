import { binaryVector } from './binary-vector.js';
import type { EmbeddingFamily } from './embedding-family.js';
import { field, isNumbers } from './response-fields.js';

/**
 * Cohere Embed. Questions and documents are embedded differently, and a text that is too long is refused rather than cut (`truncate`).
 * Bits are asked for as unsigned bytes, whose meaning is plain. Vectors come as a list, or by type where types were asked for; token counts are in Bedrock's header, for the whole request.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html and …-embed-v4.html
 */
export const cohere: EmbeddingFamily = {
  hasBinary: true,
  // A longer one is refused as malformed by version 3, tokens or not.
  maxCharacters: (model) => (model.includes('-v3') ? 2048 : undefined),
  request: (texts, purpose, { model, dimensions, type }) => ({
    texts,
    input_type: purpose === 'query' ? 'search_query' : 'search_document',
    truncate: 'NONE',
    // Left out, it gives floats, and in the oldest form.
    ...(type === 'binary' && { embedding_types: ['ubinary'] }),
    ...(!model.includes('-v3') && { output_dimension: dimensions }),
  }),
  read(body, { dimensions, type }) {
    const asked = type === 'binary' ? 'ubinary' : type;
    const embeddings = field(body, 'embeddings');
    const byType = Array.isArray(embeddings) ? embeddings : field(embeddings, asked);
    if (!Array.isArray(byType) || !byType.every(isNumbers))
      throw new TypeError(`it has no embeddings of the type ${asked}`);
    return { vectors: type === 'binary' ? byType.map((bits) => binaryVector(bits, dimensions)) : byType };
  },
};
