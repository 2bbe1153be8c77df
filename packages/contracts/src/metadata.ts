import { AquiferError } from './errors.js';

export type MetadataValue = string | number | boolean | readonly string[];

/** Flat attributes of a document, which filters compare with. */
export type Metadata = Readonly<Record<string, MetadataValue>>;

/** Longest attribute name, in UTF-16 units (the limit of Bedrock's inline attributes). */
export const maxMetadataKeyLength = 200;

/**
 * Returns `value` as {@link Metadata}.
 *
 * @param what Names the origin in the error, such as `notes.md.metadata.json`.
 * @throws `invalid-document` for a value that is not a string, a finite number, a boolean or a list of strings.
 */
export function parseMetadata(value: unknown, what: string): Metadata {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AquiferError('invalid-document', `${what}: metadata must be an object of attribute names and values.`);
  }
  for (const [key, item] of Object.entries(value)) {
    const valid =
      typeof item === 'string' ||
      typeof item === 'boolean' ||
      (typeof item === 'number' && Number.isFinite(item)) ||
      (Array.isArray(item) && item.every((entry) => typeof entry === 'string'));
    if (!valid || key.length === 0 || key.length > maxMetadataKeyLength) {
      throw new AquiferError(
        'invalid-document',
        `${what}: attribute ${JSON.stringify(key.slice(0, 80))} must have a name of 1 to ${maxMetadataKeyLength} characters ` +
          'and be a string, a finite number, true or false, or a list of strings.',
      );
    }
  }
  return value as Metadata;
}
