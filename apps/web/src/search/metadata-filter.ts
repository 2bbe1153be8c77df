import type { Filter, Metadata } from '@aquifer/client';

/** One condition, as it is built by clicking a property of a result. */
export interface Condition {
  readonly key: string;
  readonly value: string | number | boolean;
  /** Never of an item: the grammar has no negation of `listContains`, and `notEquals` holds for every list. */
  readonly isNot: boolean;
  /** The property is a list, and the value one of its items. */
  readonly isItem: boolean;
}

/** The conditions that the properties of a document offer; an item of a list is one. */
export function conditionsOf(metadata: Metadata): Condition[] {
  return Object.entries(metadata).flatMap(([key, value]): Condition[] =>
    typeof value === 'object'
      ? value.map((item) => ({ key, value: item, isNot: false, isItem: true }))
      : [{ key, value, isNot: false, isItem: false }],
  );
}

export const isSameCondition = (one: Condition, other: Condition) =>
  one.key === other.key && one.value === other.value && one.isItem === other.isItem;

/** All conditions together, or undefined where there is none. */
export function filterOf(conditions: readonly Condition[]): Filter | undefined {
  const filters = conditions.map(({ key, value, isNot, isItem }): Filter => {
    if (isItem) return { listContains: { key, value } };
    return isNot ? { notEquals: { key, value } } : { equals: { key, value } };
  });
  return filters.length > 1 ? { andAll: filters } : filters[0];
}
