import { invalidRequest } from './wire-error.js';

/** How a family words what is wrong with a request. `path` leads to the field from the root. */
export interface FieldWords {
  missing(path: readonly Step[], name: string): string;
  unknown(path: readonly Step[], name: string): string;
  wrongType(path: readonly Step[], wanted: JsonType, value: unknown): string;
  tooSmall(path: readonly Step[], value: number, minimum: number): string;
  tooLarge(path: readonly Step[], value: number, maximum: number): string;
  tooShort(path: readonly Step[], length: number, minimum: number, type: 'text' | 'list'): string;
  tooLong(path: readonly Step[], length: number, maximum: number, type: 'text' | 'list'): string;
  notAChoice(path: readonly Step[], value: unknown, choices: readonly unknown[]): string;
}

export type Step = string | number;
export type JsonType = 'text' | 'number' | 'integer' | 'flag' | 'list' | 'object';
export interface Size {
  readonly min?: number;
  readonly max?: number;
}

/**
 * The fields of a JSON object, each checked when it is read. A field that is absent or null is undefined.
 *
 * @throws the ValidationException of Bedrock, in the words of the family.
 */
export interface Fields {
  has(name: string): boolean;
  raw(name: string): unknown;
  text(name: string, size?: Size): string | undefined;
  requiredText(name: string, size?: Size): string;
  number(name: string, size?: Size): number | undefined;
  integer(name: string, size?: Size): number | undefined;
  flag(name: string): boolean | undefined;
  choice<const Value>(name: string, choices: readonly Value[]): Value | undefined;
  texts(name: string, size?: Size): readonly string[] | undefined;
  object(name: string): Fields | undefined;
  /** The objects of a list. */
  objects(name: string, size?: Size): readonly Fields[] | undefined;
  /** A list of anything. */
  list(name: string, size?: Size): readonly unknown[] | undefined;
  /** Refuses the request because this field is missing. */
  missing(name: string): never;
  /** Refuses fields that were not read until now. */
  refuseOthers(alsoKnown?: readonly string[]): void;
  /** For messages of one's own. */
  readonly path: readonly Step[];
}

export function readFields(value: unknown, words: FieldWords, path: readonly Step[] = []): Fields {
  const refuse = (message: string): never => {
    throw invalidRequest(message);
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(words.wrongType(path, 'object', value));
  }
  const object = value as Readonly<Record<string, unknown>>;
  const read = new Set<string>();

  function get(name: string): unknown {
    read.add(name);
    const found = Object.hasOwn(object, name) ? object[name] : undefined;
    return found === null ? undefined : found;
  }
  const checkSize = (name: string, length: number, type: 'text' | 'list', { min, max }: Size) => {
    if (min !== undefined && length < min) refuse(words.tooShort([...path, name], length, min, type));
    if (max !== undefined && length > max) refuse(words.tooLong([...path, name], length, max, type));
  };
  const numeric =
    (type: 'number' | 'integer') =>
    (name: string, size: Size = {}) => {
      const found = get(name);
      if (found === undefined) return undefined;
      if (typeof found !== 'number' || (type === 'integer' && !Number.isInteger(found))) {
        return refuse(words.wrongType([...path, name], type, found));
      }
      if (size.min !== undefined && found < size.min) refuse(words.tooSmall([...path, name], found, size.min));
      if (size.max !== undefined && found > size.max) refuse(words.tooLarge([...path, name], found, size.max));
      return found;
    };

  const fields: Fields = {
    path,
    has: (name) => get(name) !== undefined,
    raw: get,
    text(name, size = {}) {
      const found = get(name);
      if (found === undefined) return undefined;
      if (typeof found !== 'string') return refuse(words.wrongType([...path, name], 'text', found));
      checkSize(name, found.length, 'text', size);
      return found;
    },
    requiredText: (name, size) => fields.text(name, size) ?? fields.missing(name),
    number: numeric('number'),
    integer: numeric('integer'),
    flag(name) {
      const found = get(name);
      if (found === undefined || typeof found === 'boolean') return found;
      return refuse(words.wrongType([...path, name], 'flag', found));
    },
    choice(name, choices) {
      const found = get(name);
      if (found === undefined) return undefined;
      return choices.find((each) => each === found) ?? refuse(words.notAChoice([...path, name], found, choices));
    },
    list(name, size = {}) {
      const found = get(name);
      if (found === undefined) return undefined;
      if (!Array.isArray(found)) return refuse(words.wrongType([...path, name], 'list', found));
      checkSize(name, found.length, 'list', size);
      return found;
    },
    texts(name, size) {
      return fields.list(name, size)?.map((each, index) => {
        if (typeof each === 'string') return each;
        return refuse(words.wrongType([...path, name, index], 'text', each));
      });
    },
    object(name) {
      const found = get(name);
      return found === undefined ? undefined : readFields(found, words, [...path, name]);
    },
    objects: (name, size) =>
      fields.list(name, size)?.map((each, index) => readFields(each, words, [...path, name, index])),
    missing: (name) => refuse(words.missing(path, name)),
    refuseOthers(alsoKnown = []) {
      for (const name of Object.keys(object)) {
        if (!read.has(name) && !alsoKnown.includes(name)) refuse(words.unknown(path, name));
      }
    },
  };
  return fields;
}

/** Refuses a feature of Bedrock that is not here. */
export function refuseUnsupported(fields: Fields | undefined, names: Readonly<Record<string, string>>): void {
  for (const [name, instead] of Object.entries(names)) {
    if (fields?.has(name)) throw invalidRequest(`${[...fields.path, name].join('.')} is not supported: ${instead}`);
  }
}

/** The bytes of a base64 text; undefined where it is none. */
export function base64Bytes(text: string): Uint8Array | undefined {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}
