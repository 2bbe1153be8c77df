import type { SqlDatabase, SqlValue } from './sqlite-driver.js';

/** UTF-16 units of a part. */
const partLength = 2 ** 20;

/**
 * A text in parts of about a megabyte. SQLite copies a value some four times while it is written, and one of 90 MB took 400 MB.
 * The first part stands in `contents`, the others in `text_parts`; together they have one checksum.
 */
export function textParts(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  do {
    let end = Math.min(text.length, start + partLength);
    // Half of a surrogate pair is no text.
    if (end < text.length && /[\ud800-\udbff]/.test(text[end - 1] as string)) end -= 1;
    parts.push(text.slice(start, end));
    start = end;
  } while (start < text.length);
  return parts;
}

export interface TextParts {
  /** Removes all parts but the first. */
  remove(document: number): void;
  /** Adds a part: the one behind the first is number 1. */
  add(document: number, part: number, text: string | Uint8Array): void;
  /** The parts behind the first, in order. */
  of(document: number): string[];
}

export function createTextParts(database: SqlDatabase): TextParts {
  const remove = database.prepare('DELETE FROM text_parts WHERE document = ?');
  const insert = database.prepare('INSERT INTO text_parts (document, part, text) VALUES (?, ?, CAST(? AS TEXT))');
  const select = database.prepare('SELECT text FROM text_parts WHERE document = ? ORDER BY part');
  return {
    remove: (document) => void remove.run(document),
    add: (document, part, text) => void insert.run(document, part, text),
    of: (document) => select.rows(document).map(([text]: SqlValue[]) => text as string),
  };
}
