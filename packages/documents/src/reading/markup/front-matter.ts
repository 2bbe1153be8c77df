import { type Metadata, type MetadataValue, maxMetadataKeyLength } from '@aquifer/contracts';
import { isScalar, parseDocument } from 'yaml';

export interface FrontMatter {
  readonly metadata: Metadata;
  /** The attribute `title`, which is not repeated in `metadata`. */
  readonly title?: string;
  /** What follows the front matter. Where there is none, the whole text. */
  readonly body: string;
  /** Why a block that looks like front matter was read as text instead, for people. */
  readonly problem?: string;
}

/** Longest front matter, in characters. */
const maxLength = 100_000;

/**
 * Splits YAML front matter (`---`, YAML 1.2, `---`) from a text. Values become flat attributes: text, numbers, booleans,
 * lists of strings; dates stay as written; what is inside an object is named `outer.inner`; empty values go.
 */
export function splitFrontMatter(text: string): FrontMatter {
  const opening = /^---[ \t]*\r?\n/.exec(text);
  if (!opening) return { metadata: {}, body: text };
  const closing = /^(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/m.exec(
    text.slice(opening[0].length, opening[0].length + maxLength),
  );
  if (!closing) return { metadata: {}, body: text };
  const source = text.slice(opening[0].length, opening[0].length + closing.index);
  const body = text.slice(opening[0].length + closing.index + closing[0].length);

  let value: unknown;
  try {
    const document = parseDocument(source, { schema: 'core', logLevel: 'silent', prettyErrors: true });
    const [error] = document.errors;
    if (error) return asText(text, source, error.message.split('\n')[0]!.replace(/:$/, ''));
    if (isScalar(document.contents)) return { metadata: {}, body: text };
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return asText(text, source, error instanceof Error ? error.message : String(error));
  }
  if (value === null) return { metadata: {}, body };
  if (typeof value !== 'object' || Array.isArray(value)) return { metadata: {}, body: text };
  const { title, ...attributes } = value as Record<string, unknown>;
  const metadata: Record<string, MetadataValue> = {};
  addAttributes(metadata, attributes, '', 0);
  const name = typeof title === 'string' || typeof title === 'number' ? String(title).trim() : '';
  return { metadata, body, ...(name && { title: name }) };
}

/** Two horizontal rules with prose between them look like front matter. It is a mistake only where attributes were meant. */
function asText(text: string, source: string, reason: string): FrontMatter {
  const isMeant = /^[\w-]+[ \t]*:/.test(source);
  return {
    metadata: {},
    body: text,
    ...(isMeant && { problem: `The front matter is not valid YAML and was read as text: ${reason}.` }),
  };
}

function addAttributes(metadata: Record<string, MetadataValue>, values: object, prefix: string, depth: number): void {
  for (const [name, value] of Object.entries(values)) {
    const key = `${prefix}${name}`;
    if (key.length === 0 || key.length > maxMetadataKeyLength || key === '__proto__') continue;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      if (depth < 4) addAttributes(metadata, value, `${key}.`, depth + 1);
      continue;
    }
    const attribute = asAttribute(value);
    if (attribute !== undefined) metadata[key] = attribute;
  }
}

function asAttribute(value: unknown): MetadataValue | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (!Array.isArray(value)) return undefined;
  const items = value.filter(
    (item) => typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean',
  );
  return items.length > 0 ? items.map(String) : undefined;
}
