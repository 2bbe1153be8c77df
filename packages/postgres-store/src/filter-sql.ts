import { type Filter, type FilterScalar, isStorable } from '@aquifer/contracts';

/** Collects the bound parameters of a statement: `bind(value)` is its placeholder. */
export interface Parameters {
  readonly values: readonly unknown[];
  bind(value: unknown): string;
}

export function createParameters(...first: readonly unknown[]): Parameters {
  const values = [...first];
  return {
    values,
    bind(value) {
      values.push(value);
      return `$${values.length}`;
    },
  };
}

/**
 * The filter as a condition on `documents.attributes`. Keys and values are bound, never part of the text. A condition on an attribute that is
 * not there is null, which counts as false: nothing but `notEquals` and `notIn` negates, and these mind it themselves.
 */
export function filterToSql(filter: Filter, { bind }: Pick<Parameters, 'bind'>): string {
  const attribute = (key: string): string => `(documents.attributes -> ${bind(key)}::text)`;
  const text = (key: string): string => `((documents.attributes ->> ${bind(key)}::text) COLLATE "C")`;
  const isOf = (type: string, key: string): string => `jsonb_typeof(${attribute(key)}) = '${type}'`;
  const json = (value: unknown): string => `${bind(JSON.stringify(value))}::jsonb`;
  const ordered = ({ key, value }: { key: string; value: number | string }, operator: string): string =>
    typeof value === 'number'
      ? `(${isOf('number', key)} AND ${attribute(key)} ${operator} ${json(value)})`
      : `(${isOf('string', key)} AND ${text(key)} ${operator} ${bind(value)}::text)`;
  const oneOf = (key: string, values: readonly FilterScalar[]): string =>
    `coalesce(${attribute(key)} IN (SELECT value FROM jsonb_array_elements(${json(values)})), false)`;
  const group = (parts: readonly Filter[], operator: string): string =>
    `(${parts.map((part) => filterToSql(part, { bind })).join(` ${operator} `)})`;

  if ('equals' in filter) return `${attribute(filter.equals.key)} = ${json(filter.equals.value)}`;
  if ('notEquals' in filter) {
    return `${attribute(filter.notEquals.key)} IS DISTINCT FROM ${json(filter.notEquals.value)}`;
  }
  if ('greaterThan' in filter) return ordered(filter.greaterThan, '>');
  if ('greaterThanOrEquals' in filter) return ordered(filter.greaterThanOrEquals, '>=');
  if ('lessThan' in filter) return ordered(filter.lessThan, '<');
  if ('lessThanOrEquals' in filter) return ordered(filter.lessThanOrEquals, '<=');
  if ('in' in filter) return oneOf(filter.in.key, filter.in.value);
  if ('notIn' in filter) return `NOT ${oneOf(filter.notIn.key, filter.notIn.value)}`;
  if ('startsWith' in filter) {
    const { key, value } = filter.startsWith;
    return `(${isOf('string', key)} AND starts_with(${text(key)}, ${bind(value)}::text))`;
  }
  if ('listContains' in filter) {
    const { key, value } = filter.listContains;
    return `(${isOf('array', key)} AND ${attribute(key)} ? ${bind(value)}::text)`;
  }
  if ('stringContains' in filter) {
    const { key, value } = filter.stringContains;
    const list = `CASE WHEN ${isOf('array', key)} THEN ${attribute(key)} ELSE '[]' END`;
    return (
      `((${isOf('string', key)} AND strpos(${text(key)}, ${bind(value)}::text) > 0) OR EXISTS (SELECT FROM ` +
      `jsonb_array_elements_text(${list}) AS item WHERE strpos(item COLLATE "C", ${bind(value)}::text) > 0))`
    );
  }
  if ('andAll' in filter) return group(filter.andAll, 'AND');
  return group(filter.orAll, 'OR');
}

/** The documents that a search may look at, as a condition on `documents`; undefined where it may look at all. */
export function scopeToSql(
  scope: { readonly filter?: Filter | undefined; readonly documentIds?: readonly string[] | undefined },
  parameters: Pick<Parameters, 'bind'>,
): string | undefined {
  const parts: string[] = [];
  if (scope.filter !== undefined) parts.push(filterToSql(scope.filter, parameters));
  if (scope.documentIds !== undefined) {
    // An id that is not well-formed exists nowhere, but would be stored as another one.
    parts.push(`documents.id = ANY(${parameters.bind(scope.documentIds.filter(isStorable))}::text[])`);
  }
  return parts.length === 0 ? undefined : parts.join(' AND ');
}
