import type { Filter, FilterScalar } from './filter.js';
import type { Metadata, MetadataValue } from './metadata.js';

/**
 * Whether a document with this metadata satisfies the filter: the reference that every store is tested against.
 *
 * @param filter Already checked by `parseFilter`.
 */
export function filterMatches(filter: Filter, metadata: Metadata): boolean {
  const attribute = (key: string): MetadataValue | undefined =>
    Object.hasOwn(metadata, key) ? metadata[key] : undefined;

  if ('equals' in filter) return isEqual(attribute(filter.equals.key), filter.equals.value);
  if ('notEquals' in filter) return !isEqual(attribute(filter.notEquals.key), filter.notEquals.value);
  if ('greaterThan' in filter) {
    return order(attribute(filter.greaterThan.key), filter.greaterThan.value, (sign) => sign > 0);
  }
  if ('greaterThanOrEquals' in filter) {
    return order(attribute(filter.greaterThanOrEquals.key), filter.greaterThanOrEquals.value, (sign) => sign >= 0);
  }
  if ('lessThan' in filter) return order(attribute(filter.lessThan.key), filter.lessThan.value, (sign) => sign < 0);
  if ('lessThanOrEquals' in filter) {
    return order(attribute(filter.lessThanOrEquals.key), filter.lessThanOrEquals.value, (sign) => sign <= 0);
  }
  if ('in' in filter) return isOneOf(attribute(filter.in.key), filter.in.value);
  if ('notIn' in filter) return !isOneOf(attribute(filter.notIn.key), filter.notIn.value);
  if ('startsWith' in filter) {
    const value = attribute(filter.startsWith.key);
    return typeof value === 'string' && value.startsWith(filter.startsWith.value);
  }
  if ('listContains' in filter) {
    const value = attribute(filter.listContains.key);
    return Array.isArray(value) && value.includes(filter.listContains.value);
  }
  if ('stringContains' in filter) {
    const value = attribute(filter.stringContains.key);
    const wanted = filter.stringContains.value;
    if (typeof value === 'string') return value.includes(wanted);
    return Array.isArray(value) && value.some((item: string) => item.includes(wanted));
  }
  if ('andAll' in filter) return filter.andAll.every((part) => filterMatches(part, metadata));
  return filter.orAll.some((part) => filterMatches(part, metadata));
}

function isEqual(actual: MetadataValue | undefined, wanted: FilterScalar | readonly string[]): boolean {
  if (Array.isArray(actual) && Array.isArray(wanted)) {
    return actual.length === wanted.length && actual.every((item, index) => item === wanted[index]);
  }
  return actual === wanted;
}

function isOneOf(actual: MetadataValue | undefined, wanted: readonly FilterScalar[]): boolean {
  return wanted.some((item) => item === actual);
}

function order(
  actual: MetadataValue | undefined,
  wanted: number | string,
  accepts: (sign: number) => boolean,
): boolean {
  if (typeof actual === 'number' && typeof wanted === 'number') return accepts(actual - wanted);
  if (typeof actual === 'string' && typeof wanted === 'string') return accepts(compareCodePoints(actual, wanted));
  return false;
}

/**
 * Compares by Unicode code point, as UTF-8 bytes and therefore databases do; JavaScript's `<` compares UTF-16 units,
 * which puts U+10000 before U+E000.
 */
export function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1;
  }
  return left.length - right.length;
}

// A surrogate stands for a code point above U+FFFF, so it sorts after every unit that is not one.
const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;
