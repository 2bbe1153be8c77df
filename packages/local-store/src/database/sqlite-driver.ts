import { createRequire } from 'node:module';
import { AquiferError } from '@aquifer/contracts';

/** What SQLite stores in a cell. */
export type SqlValue = string | number | Uint8Array | null;

export interface SqlStatement {
  run(...parameters: SqlValue[]): { readonly changes: number; readonly lastInsertRowid: number };
  /** The first row as an object by column name. */
  get(...parameters: SqlValue[]): Record<string, SqlValue> | undefined;
  /** Rows as objects by column name. */
  all(...parameters: SqlValue[]): Record<string, SqlValue>[];
  /** Rows as arrays, in column order: half the cost of objects. */
  rows(...parameters: SqlValue[]): SqlValue[][];
  /** As {@link rows}, one at a time. */
  each(...parameters: SqlValue[]): Iterable<SqlValue[]>;
}

/** The little of SQLite that the store needs, so that two drivers can give it. */
export interface SqlDatabase {
  readonly driver: 'better-sqlite3-multiple-ciphers' | 'node:sqlite';
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  close(): void;
}

export interface OpenSqlOptions {
  /** Where it is not given, a missing file is an error. */
  readonly create?: boolean;
  readonly encryptionKey?: string;
  readonly busyTimeoutMs: number;
}

const require = createRequire(import.meta.url);

/**
 * Opens a database file with `better-sqlite3-multiple-ciphers` where that addon was built, else with Node's own
 * `node:sqlite` (Node 22.13 or later, no encryption).
 *
 * @throws `missing-dependency` where neither is there, `encryption-unavailable` where a key needs the addon.
 */
export function openSql(file: string, options: OpenSqlOptions): SqlDatabase {
  const addon = openWithAddon(file, options);
  if (addon !== undefined) return addon;
  if (options.encryptionKey !== undefined) throw encryptionUnavailable(file);
  const native = openWithNode(file, options);
  if (native !== undefined) return native;
  throw new AquiferError(
    'missing-dependency',
    `No SQLite for ${file}: the addon better-sqlite3-multiple-ciphers is not built, and Node ${process.versions.node} has no node:sqlite (22.13 and later have). ${buildCommand}`,
  );
}

/** Before anything is made on disk. @throws `encryption-unavailable` */
export function assertCanEncrypt(file: string): void {
  if (!canEncrypt()) throw encryptionUnavailable(file);
}

function encryptionUnavailable(file: string): AquiferError {
  return new AquiferError(
    'encryption-unavailable',
    `${file} cannot be opened with an encryption key: the addon better-sqlite3-multiple-ciphers is not built here. ${buildCommand}`,
  );
}

const buildCommand =
  'To build it, run: npm rebuild better-sqlite3-multiple-ciphers --ignore-scripts=false (needs a C++ compiler and Python).';

interface AddonStatement {
  run(...parameters: SqlValue[]): { changes: number; lastInsertRowid: number | bigint };
  get(...parameters: SqlValue[]): unknown;
  all(...parameters: SqlValue[]): unknown[];
  iterate(...parameters: SqlValue[]): Iterable<unknown>;
  raw(toggle: boolean): AddonStatement;
  readonly reader: boolean;
}
interface AddonDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): AddonStatement;
  key(key: Uint8Array): unknown;
  close(): unknown;
}
type AddonConstructor = new (file: string, options: { fileMustExist: boolean; timeout: number }) => AddonDatabase;

/** Whether databases can be encrypted here. */
export function canEncrypt(): boolean {
  const database = openWithAddon(':memory:', { create: true, busyTimeoutMs: 0 });
  database?.close();
  return database !== undefined;
}

/** Undefined where the addon is not installed or was not built for this Node. */
function openWithAddon(file: string, options: OpenSqlOptions): SqlDatabase | undefined {
  let Addon: AddonConstructor;
  try {
    Addon = require('better-sqlite3-multiple-ciphers') as AddonConstructor;
  } catch {
    return undefined;
  }
  let database: AddonDatabase;
  try {
    database = new Addon(file, {
      fileMustExist: options.create !== true,
      timeout: options.busyTimeoutMs,
    });
  } catch (error) {
    // The package loads its binary here, and not when it is imported.
    if (isMissingBinary(error)) return undefined;
    throw error;
  }
  if (options.encryptionKey !== undefined) database.key(Buffer.from(options.encryptionKey, 'utf8'));
  return {
    driver: 'better-sqlite3-multiple-ciphers',
    exec: (sql) => void database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql);
      return {
        run(...parameters) {
          const { changes, lastInsertRowid } = statement.run(...parameters);
          return { changes, lastInsertRowid: Number(lastInsertRowid) };
        },
        get: (...parameters) => {
          if (statement.reader) statement.raw(false);
          return statement.get(...parameters) as Record<string, SqlValue> | undefined;
        },
        all: (...parameters) => statement.raw(false).all(...parameters) as Record<string, SqlValue>[],
        rows: (...parameters) => statement.raw(true).all(...parameters) as SqlValue[][],
        each: (...parameters) => statement.raw(true).iterate(...parameters) as Iterable<SqlValue[]>,
      };
    },
    close: () => void database.close(),
  };
}

function isMissingBinary(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    code === 'MODULE_NOT_FOUND' ||
    code === 'ERR_DLOPEN_FAILED' ||
    (typeof message === 'string' && message.startsWith('Could not locate the bindings file'))
  );
}

interface NodeStatement {
  run(...parameters: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  get(...parameters: SqlValue[]): unknown;
  all(...parameters: SqlValue[]): unknown[];
  iterate(...parameters: SqlValue[]): Iterable<unknown>;
  /** From Node 22.16 on. */
  setReturnArrays?(enabled: boolean): void;
}
interface NodeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NodeStatement;
  close(): void;
}

const cells = (row: unknown): SqlValue[] => (Array.isArray(row) ? row : Object.values(row as object)) as SqlValue[];

/** Undefined where this Node has no `node:sqlite`. */
function openWithNode(file: string, options: OpenSqlOptions): SqlDatabase | undefined {
  // `process.getBuiltinModule` neither throws nor warns where the module is absent.
  const { getBuiltinModule } = process as { getBuiltinModule?: (id: string) => unknown };
  const module = withoutWarnings(() => getBuiltinModule?.('node:sqlite')) as
    | { DatabaseSync: new (file: string) => NodeDatabase }
    | undefined;
  if (module === undefined) return undefined;
  const database = new module.DatabaseSync(file);
  database.exec(`PRAGMA busy_timeout = ${options.busyTimeoutMs}`);
  return {
    driver: 'node:sqlite',
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql);
      // Before 22.16 there are only objects, in which columns of the same name are one: queries give each a name of its own.
      const asArrays = (): NodeStatement => {
        statement.setReturnArrays?.(true);
        return statement;
      };
      const asObjects = (): NodeStatement => {
        statement.setReturnArrays?.(false);
        return statement;
      };
      return {
        run(...parameters) {
          const { changes, lastInsertRowid } = statement.run(...parameters);
          return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
        },
        get: (...parameters) => asObjects().get(...parameters) as Record<string, SqlValue> | undefined,
        all: (...parameters) => asObjects().all(...parameters) as Record<string, SqlValue>[],
        rows: (...parameters) =>
          asArrays()
            .all(...parameters)
            .map(cells),
        *each(...parameters) {
          for (const row of asArrays().iterate(...parameters)) yield cells(row);
        },
      };
    },
    close: () => database.close(),
  };
}

// Node 22 says on first use that node:sqlite may change. That concerns this file, and not the people who see the warning.
function withoutWarnings<Result>(work: () => Result): Result {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
