import { estimateTokens } from '@aquifer/text-analysis';
import { schemaWords } from '../field-words.js';
import type { EmbedInput } from '../model-backend.js';
import { type Fields, readFields } from '../request-fields.js';
import { joinJson } from '../vector-json.js';
import { invalidRequest } from '../wire-error.js';
import type { WholeFamily } from './family.js';

const maxTexts = 96;
const maxCharacters = 2_048;
/** Of a text; longer ones are cut where `truncate` says, or refused. */
const maxTokens = 512;
const types = ['float', 'int8', 'uint8', 'binary', 'ubinary'] as const;
type EmbeddingType = (typeof types)[number];

/**
 * Embed v3, and v4 with its `output_dimension`.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
 */
export const cohereEmbeddings: WholeFamily = {
  kind: 'whole',
  async invoke({ body, baseId, modelId, requestId, backend, signal }) {
    const isV4 = baseId.includes('embed-v4');
    const fields = readFields(body, schemaWords);
    const purpose =
      fields.choice('input_type', ['search_document', 'search_query', 'classification', 'clustering', 'image']) ??
      fields.missing('input_type');
    const truncate = fields.choice('truncate', ['NONE', 'START', 'END', 'LEFT', 'RIGHT']) ?? 'NONE';
    const asked = fields.texts('embedding_types', { min: 1 })?.map(embeddingType);
    const dimensions = isV4 ? (fields.choice('output_dimension', [1536, 1024, 512, 256]) ?? 1536) : 1024;
    if (isV4) fields.integer('max_tokens', { min: 1 });
    const { texts, images } = readInputs(fields, purpose === 'image', isV4);
    fields.refuseOthers();

    const inputs: EmbedInput[] = images ?? texts!.map((text) => ({ type: 'text', text: cut(text, truncate, isV4) }));
    const vectors = await backend.embed({
      modelId,
      inputs,
      purpose: purpose === 'search_query' ? 'query' : 'document',
      dimensions,
      signal,
    });
    const wanted = asked ?? ['float' as const];
    const lists = wanted.map((type) => [...(asked ? [`"${type}":`] : []), ...vectorList(vectors, type)]);
    return {
      body: joinJson(
        `{"id":"${requestId}",`,
        texts ? `"texts":${JSON.stringify(texts)},` : '',
        `"embeddings":${asked ? '{' : ''}`,
        ...lists.flatMap((list, index) => (index === 0 ? list : [',', ...list])),
        `${asked ? '}' : ''},"response_type":"${asked ? 'embeddings_by_type' : 'embeddings_floats'}"}`,
      ),
      inputTokens: (texts ?? []).reduce((sum, text) => sum + estimateTokens(text), 0),
    };
  },
};

function embeddingType(name: string, index: number): EmbeddingType {
  const type = types.find((each) => each === name);
  if (type === undefined) throw invalidRequest(schemaWords.notAChoice(['embedding_types', index], name, types));
  return type;
}

function readInputs(
  fields: Fields,
  isImage: boolean,
  isV4: boolean,
): { readonly texts?: readonly string[]; readonly images?: EmbedInput[] } {
  if (isImage) {
    const images = fields.texts('images', { min: 1, max: isV4 ? maxTexts : 1 }) ?? fields.missing('images');
    return { images: images.map(imageInput) };
  }
  const texts = fields.texts('texts', { min: 1, max: maxTexts }) ?? fields.missing('texts');
  for (const [index, text] of texts.entries()) {
    if (!isV4 && text.length > maxCharacters) {
      throw invalidRequest(schemaWords.tooLong(['texts', index], text.length, maxCharacters, 'text'));
    }
  }
  return { texts };
}

function imageInput(url: string): EmbedInput {
  const data = /^data:image\/[a-z+.-]+;base64,([A-Za-z0-9+/]+={0,2})$/.exec(url)?.[1];
  if (data === undefined) {
    throw invalidRequest('images: an image must be a data URI, such as data:image/png;base64,…');
  }
  return { type: 'image', bytes: Buffer.from(data, 'base64') };
}

/** The beginning or the end of a text that is too long. About a token is cut at a time: the count is an estimate anyway. */
function cut(text: string, truncate: string, isV4: boolean): string {
  const most = isV4 ? 128_000 : maxTokens;
  const tokens = estimateTokens(text);
  if (tokens <= most) return text;
  if (truncate === 'NONE') {
    throw invalidRequest(
      `too many tokens: the total number of tokens in the request exceeds the limit of ${most}: ${tokens}`,
    );
  }
  const keepsEnd = truncate === 'START' || truncate === 'LEFT';
  let kept = text;
  while (estimateTokens(kept) > most) {
    const length = Math.min(kept.length - 1, Math.ceil((kept.length * most) / estimateTokens(kept)));
    kept = keepsEnd ? kept.slice(-length) : kept.slice(0, length);
  }
  return kept;
}

/** Parts of a JSON array. */
function vectorList(vectors: readonly Float32Array[], type: EmbeddingType): (string | Float32Array)[] {
  const items = vectors.map((vector) => (type === 'float' ? vector : JSON.stringify(quantised(vector, type))));
  return ['[', ...items.flatMap((item, index) => (index === 0 ? [item] : [',', item])), ']'];
}

/** Bytes over the range of a vector's components; bits packed eight to a byte, as signed numbers for `binary`. */
function quantised(vector: Float32Array, type: Exclude<EmbeddingType, 'float'>): number[] {
  if (type === 'int8' || type === 'uint8') {
    const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    return Array.from(vector, (value) => Math.round((value / largest) * 127) + (type === 'uint8' ? 128 : 0));
  }
  return Array.from({ length: vector.length / 8 }, (_, index) => {
    let byte = 0;
    for (let bit = 0; bit < 8; bit++) byte = (byte << 1) | (vector[index * 8 + bit]! > 0 ? 1 : 0);
    return type === 'binary' ? byte - 128 : byte;
  });
}
