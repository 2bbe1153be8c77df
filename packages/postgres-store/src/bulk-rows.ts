import { type CopyRows, createCopyRows } from './copy-format.js';
import type { Query, Row } from './transactions.js';

/** Where a statement takes its rows from: what stands after FROM, and the bound parameters that it names. */
export interface RowSource {
  readonly from: string;
  readonly values: readonly unknown[];
}

export interface Column<Item> {
  readonly name: string;
  readonly type: string;
  /** Where it differs: arrays of arrays, for one, would have to be of one length. */
  readonly arrayType?: string;
  /** The values of these items as one bound parameter: an array. */
  array(items: readonly Item[]): unknown;
  /** The same value in a row of COPY. */
  copy(rows: CopyRows, item: Item): void;
}

export const textColumn = <Item>(name: string, value: (item: Item) => string): Column<Item> => ({
  name,
  type: 'text',
  array: (items) => items.map(value),
  copy: (rows, item) => rows.text(value(item)),
});

export const integerColumn = <Item>(name: string, value: (item: Item) => number | undefined): Column<Item> => ({
  name,
  type: 'int',
  array: (items) => items.map((item) => value(item) ?? null),
  copy(rows, item) {
    const number = value(item);
    if (number === undefined) rows.empty();
    else rows.integer(number);
  },
});

/**
 * Runs a statement of the same transaction on these items, as rows `n`. Bound parameters of the rows are named from `$firstParameter` on. All of it is
 * sent at once.
 */
export type WithRows<Item> = (
  query: Query,
  items: readonly Item[],
  firstParameter: number,
  statement: (rows: RowSource) => Promise<Row[]>,
) => Promise<Row[]>;

/**
 * Few rows go as arrays, one a column; many by COPY into a temporary table, which takes the server a tenth of what the INSERT takes. PostgreSQL
 * refuses to copy into a table with row-level security itself.
 */
export function createBulkRows<Item>(
  name: string,
  columns: readonly Column<Item>[],
  { leastCopied, mayCopy }: { readonly leastCopied: number; readonly mayCopy: boolean },
): WithRows<Item> {
  const names = columns.map((column) => column.name).join(', ');
  const definition = columns.map((column) => `${column.name} ${column.type}`).join(', ');
  // The temporary table is the connection's, and its rows are gone at the end of the transaction.
  const filled = new WeakSet<Query>();
  return async (query, items, firstParameter, statement) => {
    if (!mayCopy || items.length < leastCopied) {
      const arrays = columns.map(({ type, arrayType = type }, index) => `$${firstParameter + index}::${arrayType}[]`);
      return statement({
        from: `unnest(${arrays.join(', ')}) AS n (${names})`,
        values: columns.map((column) => column.array(items)),
      });
    }
    const rows = createCopyRows();
    for (const item of items) {
      rows.row(columns.length);
      for (const column of columns) column.copy(rows, item);
    }
    const prepare = filled.has(query)
      ? `TRUNCATE pg_temp.aquifer_${name}`
      : `CREATE TEMPORARY TABLE IF NOT EXISTS aquifer_${name} (${definition}) ON COMMIT DELETE ROWS`;
    filled.add(query);
    const [, , done] = await Promise.all([
      query(prepare),
      query.copy(`COPY pg_temp.aquifer_${name} (${names}) FROM STDIN (FORMAT binary)`, rows.end()),
      statement({ from: `pg_temp.aquifer_${name} AS n`, values: [] }),
    ]);
    return done;
  };
}
