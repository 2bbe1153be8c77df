import { AquiferError, type Metadata, type MetadataValue, parseMetadata } from '@aquifer/contracts';

/**
 * Parses `<file>.metadata.json`, which adds attributes to the file beside it, in the form of Bedrock Knowledge Bases:
 *
 * ```json
 * { "metadataAttributes": {
 *     "year": 2025,
 *     "country": { "value": { "type": "STRING", "stringValue": "JP" }, "includeForEmbedding": true } } }
 * ```
 *
 * The types are `STRING`, `NUMBER`, `BOOLEAN` and `STRING_LIST`. `includeForEmbedding` has no effect.
 *
 * @param name Of the sidecar file, for messages.
 * @throws `invalid-document` that names the file and the attribute.
 */
export function parseSidecar(bytes: Uint8Array, name: string): Metadata {
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'the bytes are not UTF-8';
    throw new AquiferError('invalid-document', `${name} is not valid JSON: ${reason}.`, { cause: error });
  }
  if (!isObject(content) || !isObject(content.metadataAttributes)) {
    throw new AquiferError('invalid-document', `${name} must be an object with an object "metadataAttributes" inside.`);
  }
  const metadata = Object.entries(content.metadataAttributes).map(
    ([key, value]) => [key, isObject(value) ? typedValue(value.value, key, name) : value] as const,
  );
  return parseMetadata(Object.fromEntries(metadata), name);
}

/** Which field holds the value of each type, and what it must be. */
const valueFields: Readonly<Record<string, readonly [field: string, is: (value: unknown) => boolean]>> = {
  STRING: ['stringValue', (value) => typeof value === 'string'],
  NUMBER: ['numberValue', (value) => typeof value === 'number'],
  BOOLEAN: ['booleanValue', (value) => typeof value === 'boolean'],
  STRING_LIST: ['stringListValue', (value) => Array.isArray(value)],
};

function typedValue(value: unknown, key: string, name: string): MetadataValue {
  const invalid = (what: string) =>
    new AquiferError('invalid-document', `${name}: attribute ${JSON.stringify(key.slice(0, 80))} ${what}.`);
  if (!isObject(value)) throw invalid('must be a value, or an object with "value" inside');
  const type = typeof value.type === 'string' && Object.hasOwn(valueFields, value.type) ? value.type : undefined;
  if (type === undefined) throw invalid(`must have one of the types ${Object.keys(valueFields).join(', ')}`);
  const [field, is] = valueFields[type]!;
  if (!is(value[field])) throw invalid(`has the type ${type} but no "${field}" of that type`);
  return value[field] as MetadataValue;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
