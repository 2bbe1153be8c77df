import { AquiferError } from './errors.js';
import { maxMetadataKeyLength } from './metadata.js';

export type FilterScalar = string | number | boolean;

interface Comparison<Value> {
  readonly key: string;
  readonly value: Value;
}

/**
 * A condition on a document's metadata, in the grammar of Bedrock Knowledge Bases' RetrievalFilter
 * (docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_RetrievalFilter.html): exactly one member.
 *
 * - `equals`: same type and value; a list equals a list with the same strings in the same order.
 * - `notEquals`: not `equals`, and therefore also true where the attribute is absent.
 * - `greaterThan`, `greaterThanOrEquals`, `lessThan`, `lessThanOrEquals`: number with number, or string with string by
 *   code point (so ISO dates compare as dates). Different types never match.
 * - `in`: the attribute equals one of the listed values. `notIn`: present or not, it is not `in`.
 * - `startsWith`: a string attribute begins with the value. `stringContains`: a string, or one string of a list, holds the value.
 * - `listContains`: a list has the value among its strings.
 * - `andAll`, `orAll`: all, or one, of the given filters.
 *
 * All comparisons distinguish upper and lower case.
 */
export type Filter =
  | { readonly equals: Comparison<FilterScalar | readonly string[]> }
  | { readonly notEquals: Comparison<FilterScalar | readonly string[]> }
  | { readonly greaterThan: Comparison<number | string> }
  | { readonly greaterThanOrEquals: Comparison<number | string> }
  | { readonly lessThan: Comparison<number | string> }
  | { readonly lessThanOrEquals: Comparison<number | string> }
  | { readonly in: Comparison<readonly FilterScalar[]> }
  | { readonly notIn: Comparison<readonly FilterScalar[]> }
  | { readonly startsWith: Comparison<string> }
  | { readonly listContains: Comparison<string> }
  | { readonly stringContains: Comparison<string> }
  | { readonly andAll: readonly Filter[] }
  | { readonly orAll: readonly Filter[] };

type KeysOfUnion<Union> = Union extends unknown ? keyof Union : never;
export type FilterOperator = KeysOfUnion<Filter>;

const isScalar = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
const isText = (value: unknown): boolean => typeof value === 'string';
const isOrdered = (value: unknown): boolean => typeof value === 'string' || Number.isFinite(value);
const isListOf = (accepts: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(accepts);

const scalarOrTexts = {
  accepts: (value: unknown) => isScalar(value) || isListOf(isText)(value),
  wants: 'a string, a finite number, true or false, or a list of strings',
};
const ordered = { accepts: isOrdered, wants: 'a finite number or a string' };
const scalars = { accepts: isListOf(isScalar), wants: 'a list of strings, finite numbers, true or false' };
const text = { accepts: isText, wants: 'a string' };

const comparisons: Readonly<Record<Exclude<FilterOperator, 'andAll' | 'orAll'>, typeof ordered>> = {
  equals: scalarOrTexts,
  notEquals: scalarOrTexts,
  greaterThan: ordered,
  greaterThanOrEquals: ordered,
  lessThan: ordered,
  lessThanOrEquals: ordered,
  in: scalars,
  notIn: scalars,
  startsWith: text,
  listContains: text,
  stringContains: text,
};

export const filterOperators: readonly FilterOperator[] = [
  ...(Object.keys(comparisons) as (keyof typeof comparisons)[]),
  'andAll',
  'orAll',
];

const maxDepth = 32;
const maxConditions = 1_000;

/**
 * Checks that `value` is a {@link Filter} and returns it.
 *
 * @throws `invalid-filter`, naming the place: an unknown operator, more than one member, a value of the wrong type, an
 *   empty group, a key of 0 or more than 200 characters, more than 32 levels or 1,000 conditions.
 * @example parseFilter({ equals: { key: 'country', value: 'JP' } })
 */
export function parseFilter(value: unknown): Filter {
  let conditions = 0;
  const refuse = (path: string, problem: string): never => {
    throw new AquiferError('invalid-filter', `Filter${path ? ` at ${path}` : ''}: ${problem}.`);
  };
  const check = (node: unknown, path: string, depth: number): void => {
    if (depth > maxDepth) refuse(path, `more than ${maxDepth} levels`);
    if (++conditions > maxConditions) refuse(path, `more than ${maxConditions} conditions`);
    if (typeof node !== 'object' || node === null || Array.isArray(node)) {
      refuse(path, 'a condition must be an object such as {"equals": {"key": "country", "value": "JP"}}');
    }
    const members = Object.keys(node as object);
    const operator = members[0];
    if (members.length !== 1 || operator === undefined) {
      refuse(path, `a condition has exactly one operator, not ${members.length}`);
      return;
    }
    const operand = (node as Record<string, unknown>)[operator];
    const here = path ? `${path}.${operator}` : operator;
    if (operator === 'andAll' || operator === 'orAll') {
      if (!Array.isArray(operand) || operand.length === 0) refuse(here, 'needs a list of at least one condition');
      (operand as unknown[]).forEach((item, index) => {
        check(item, `${here}[${index}]`, depth + 1);
      });
      return;
    }
    if (!Object.hasOwn(comparisons, operator)) {
      refuse(
        path,
        `unknown operator ${JSON.stringify(operator.slice(0, 80))}; there are ${filterOperators.join(', ')}`,
      );
    }
    const rule = comparisons[operator as keyof typeof comparisons];
    if (typeof operand !== 'object' || operand === null) refuse(here, 'needs {"key", "value"}');
    const { key, value: compared, ...rest } = operand as Record<string, unknown>;
    const surplus = Object.keys(rest)[0];
    if (surplus !== undefined) refuse(here, `has the unknown member ${JSON.stringify(surplus.slice(0, 80))}`);
    if (typeof key !== 'string' || key.length === 0 || key.length > maxMetadataKeyLength) {
      refuse(here, `"key" must be a string of 1 to ${maxMetadataKeyLength} characters`);
    }
    if (!rule.accepts(compared)) refuse(here, `"value" must be ${rule.wants}`);
  };
  check(value, '', 1);
  return value as Filter;
}
