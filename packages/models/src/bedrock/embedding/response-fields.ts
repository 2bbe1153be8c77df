/** A property of what may or may not be an object. */
export function field(value: unknown, name: string): unknown {
  return value instanceof Object ? (value as Record<string, unknown>)[name] : undefined;
}

export function isNumbers(value: unknown): value is number[] {
  // The first stands for all here: each is checked where the vector is made.
  return Array.isArray(value) && (value.length === 0 || typeof value[0] === 'number' || value[0] === null);
}

export function tokenCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}
