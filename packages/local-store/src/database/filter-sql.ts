import { type Filter, type FilterScalar, isStorable, type Metadata, type MetadataValue } from '@aquifer/contracts';
import type { SqlValue } from './sqlite-driver.js';

// How `metadata.type` tells what a row holds. A list has one row of its own and one for each of its strings.
const types = { text: 0, number: 1, boolean: 2, list: 3, item: 4 } as const;

interface MetadataRow {
  readonly key: string;
  readonly type: number;
  /** Equal texts of one type are equal values, so that no number has to survive a trip through SQLite's own parser. */
  readonly text: string;
  readonly number: number | null;
}

/** The rows that stand for a document's metadata. */
export function metadataRows(metadata: Metadata): MetadataRow[] {
  return Object.entries(metadata).flatMap(([key, value]) => {
    const own = { key, ...encode(value) };
    if (!Array.isArray(value)) return [own];
    const items = [...new Set(value as readonly string[])].map((text) => ({
      key,
      type: types.item,
      text,
      number: null,
    }));
    return [own, ...items];
  });
}

function encode(value: MetadataValue): Omit<MetadataRow, 'key'> {
  if (typeof value === 'string') return { type: types.text, text: value, number: null };
  // String(-0) is "0", which is what makes it equal to 0 here as in the reference evaluator.
  if (typeof value === 'number') return { type: types.number, text: String(value), number: value };
  if (typeof value === 'boolean') return { type: types.boolean, text: String(value), number: null };
  return { type: types.list, text: JSON.stringify(value), number: null };
}

/** A condition on the table `documents`, with its parameters in order. */
export interface SqlCondition {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** The filter as a condition on `documents.number`. Keys and values are bound, never part of the text. */
export function filterToSql(filter: Filter): SqlCondition {
  if ('equals' in filter) return equal(filter.equals.key, filter.equals.value, true);
  if ('notEquals' in filter) return equal(filter.notEquals.key, filter.notEquals.value, false);
  if ('greaterThan' in filter) return ordered(filter.greaterThan, '>');
  if ('greaterThanOrEquals' in filter) return ordered(filter.greaterThanOrEquals, '>=');
  if ('lessThan' in filter) return ordered(filter.lessThan, '<');
  if ('lessThanOrEquals' in filter) return ordered(filter.lessThanOrEquals, '<=');
  if ('in' in filter) return oneOf(filter.in.key, filter.in.value, true);
  if ('notIn' in filter) return oneOf(filter.notIn.key, filter.notIn.value, false);
  if ('startsWith' in filter) {
    const { key, value } = filter.startsWith;
    return has('key = ? AND type = ? AND substr(text, 1, length(?)) = ?', [key, types.text, value, value]);
  }
  if ('listContains' in filter) {
    const { key, value } = filter.listContains;
    return has('key = ? AND type = ? AND text = ?', [key, types.item, value]);
  }
  if ('stringContains' in filter) {
    const { key, value } = filter.stringContains;
    return has(`key = ? AND type IN (${types.text}, ${types.item}) AND instr(text, ?) > 0`, [key, value]);
  }
  if ('andAll' in filter) return balanced(filter.andAll.map(filterToSql), 'AND');
  return balanced(filter.orAll.map(filterToSql), 'OR');
}

function has(sql: string, parameters: readonly SqlValue[], wanted = true): SqlCondition {
  return { sql: `documents.number ${wanted ? '' : 'NOT '}IN (SELECT document FROM metadata WHERE ${sql})`, parameters };
}

function equal(key: string, value: MetadataValue, wanted: boolean): SqlCondition {
  const { type, text } = encode(value);
  return has('key = ? AND type = ? AND text = ?', [key, type, text], wanted);
}

function ordered({ key, value }: { key: string; value: number | string }, operator: string): SqlCondition {
  return typeof value === 'number'
    ? has(`key = ? AND type = ${types.number} AND number ${operator} ?`, [key, value])
    : has(`key = ? AND type = ${types.text} AND text ${operator} ?`, [key, value]);
}

function oneOf(key: string, values: readonly FilterScalar[], wanted: boolean): SqlCondition {
  // One JSON parameter a type, so that the number of values is not bound by SQLite's limit on parameters.
  const texts = (type: number) => {
    const encoded = values.map(encode).filter((value) => value.type === type);
    return JSON.stringify(encoded.map((value) => value.text));
  };
  const one = (type: number) => `(type = ${type} AND text IN (SELECT value FROM json_each(?)))`;
  return has(
    `key = ? AND (${one(types.text)} OR ${one(types.number)} OR ${one(types.boolean)})`,
    [key, texts(types.text), texts(types.number), texts(types.boolean)],
    wanted,
  );
}

// SQLite refuses expressions deeper than 1,000, and reads `a AND b AND c …` as one as deep as it is long.
function balanced(parts: readonly SqlCondition[], operator: 'AND' | 'OR'): SqlCondition {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const middle = parts.length >> 1;
  const left = balanced(parts.slice(0, middle), operator);
  const right = balanced(parts.slice(middle), operator);
  return { sql: `(${left.sql} ${operator} ${right.sql})`, parameters: [...left.parameters, ...right.parameters] };
}

/** The documents that a search may look at, as a condition on `documents`; undefined where it may look at all. */
export function scopeToSql(scope: {
  readonly filter?: Filter | undefined;
  readonly documentIds?: readonly string[] | undefined;
}): SqlCondition | undefined {
  const parts: SqlCondition[] = [];
  if (scope.filter !== undefined) parts.push(filterToSql(scope.filter));
  if (scope.documentIds !== undefined) {
    // An id that is not well-formed exists nowhere, but would be stored as another one.
    const ids = scope.documentIds.filter(isStorable);
    parts.push({
      sql: 'documents.id IN (SELECT value FROM json_each(?))',
      parameters: [JSON.stringify(ids)],
    });
  }
  return parts.length === 0 ? undefined : balanced(parts, 'AND');
}
