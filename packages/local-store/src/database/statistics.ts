import type { SqlDatabase } from './sqlite-driver.js';

/**
 * What SQLite knows of its tables (`sqlite_stat1`, and `sqlite_stat4` where it is compiled in) keeps filters fast, and outlives what it
 * was true of: with "one row" noted of vectors, reading 23,000 of them looked through all for each. Without a note SQLite takes a table for
 * large. So small tables have none; of larger ones, no growth makes a scan of the whole table look cheap.
 *
 * @see https://www.sqlite.org/lang_analyze.html
 */
const leastRows = 1_000;

const tables = "SELECT name FROM sqlite_schema WHERE name IN ('sqlite_stat1', 'sqlite_stat4')";
/** The first number of `stat` is how many rows there are; an index of a part of them has fewer. */
const smallTables = `SELECT tbl FROM sqlite_stat1 GROUP BY tbl HAVING max(CAST(stat AS INTEGER)) < ${leastRows}`;

const statisticsTables = (database: SqlDatabase): string[] =>
  database
    .prepare(tables)
    .rows()
    .map(([name]) => name as string);

/** Gathers statistics, from a sample. */
export function gatherStatistics(database: SqlDatabase): void {
  database.exec('PRAGMA analysis_limit = 400; PRAGMA optimize');
  // The table that the others are compared with comes last.
  for (const table of statisticsTables(database).sort().reverse())
    database.exec(`DELETE FROM ${table} WHERE tbl IN (${smallTables})`);
}

/** Drops statistics of small tables that an earlier version gathered. As the schema changes, every connection notices. */
export function dropSmallStatistics(database: SqlDatabase): void {
  const names = statisticsTables(database);
  if (!names.includes('sqlite_stat1') || database.prepare(smallTables).rows().length === 0) return;
  for (const name of names) database.exec(`DROP TABLE ${name}`);
  // This connection has read them already.
  database.exec('ANALYZE sqlite_schema');
}
