import { frameworkWords } from '../field-words.js';
import { type Fields, readFields, type Size } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';

const idPattern = /^[0-9a-zA-Z]{10}$/;

/** The fields of a body; one that is empty has none. */
export function bodyFields(body: Uint8Array): Fields {
  if (body.byteLength === 0) return readFields({}, frameworkWords);
  try {
    return readFields(JSON.parse(Buffer.from(body).toString('utf8')), frameworkWords);
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidRequest('The request body is not valid JSON.');
    throw error;
  }
}

/** An id of a path. @throws ValidationException where it has not the form of one. */
export function checkedId(id: string, name: string): string {
  if (!idPattern.test(id)) throw mismatch(id, name, '[0-9a-zA-Z]{10}');
  return id;
}

/** A text of a form: `pattern` is that of the service model, without anchors. */
export function formedText(fields: Fields, name: string, pattern: string, size: Size = {}): string | undefined {
  const text = fields.text(name, size);
  // The patterns of the model nest repetitions, so nothing long may come near them; no such text of theirs is longer than 2,048.
  if (text !== undefined && !new RegExp(`^(?:${pattern})$`).test(text)) {
    throw mismatch(text, [...fields.path, name].join('.'), pattern);
  }
  return text;
}

function mismatch(value: string, place: string, pattern: string) {
  return invalidRequest(
    `1 validation error detected: Value '${value.slice(0, 80)}' at '${place}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern}`,
  );
}

/** `([0-9a-zA-Z][_-]?){1,100}`, said so that it takes no time to fail. */
export function readName(fields: Fields): string {
  const name = fields.requiredText('name', { min: 1, max: 200 });
  const characters = name.replace(/(?<=[0-9a-zA-Z])[_-]/g, '');
  if (!/^[0-9a-zA-Z]{1,100}$/.test(characters)) throw mismatch(name, 'name', '([0-9a-zA-Z][_-]?){1,100}');
  return name;
}

export function readDescription(fields: Fields): { readonly description?: string } {
  const description = fields.text('description', { min: 1, max: 200 });
  return description === undefined ? {} : { description };
}

export function readClientToken(fields: Fields): { readonly clientToken?: string } {
  const clientToken = formedText(fields, 'clientToken', '[a-zA-Z0-9-]*', { min: 33, max: 256 });
  return clientToken === undefined ? {} : { clientToken };
}

/** A page of a listing: how many, and where the page before it ended. */
export interface PageCall {
  readonly limit: number;
  /** Of the page before, whatever the listing made of it. */
  readonly after?: string;
}

const defaultPage = 100;

export function readPage(fields: Fields): PageCall {
  const limit = fields.integer('maxResults', { min: 1, max: 1_000 }) ?? defaultPage;
  const token = fields.text('nextToken', { min: 1, max: 2_048 });
  if (token === undefined) return { limit };
  const [, after] = /^after (.*)$/s.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (after === undefined) throw invalidRequest('The nextToken provided is not valid.');
  return { limit, after };
}

export const pageToken = (after: string): string => Buffer.from(`after ${after}`).toString('base64url');
