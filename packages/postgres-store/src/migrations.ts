import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { AquiferError } from '@aquifer/contracts';
import type { Ask } from './transactions.js';

interface Migration {
  readonly version: number;
  readonly sql: string;
}

const folder = new URL('../sql/', import.meta.url);
/** Any number that other programs in the same database are unlikely to lock. */
const lockNumber = 7_239_140_551;
const leastServerVersion = 150_000;

async function readMigrations(): Promise<readonly Migration[]> {
  const names = (await readdir(fileURLToPath(folder))).filter((name) => /^\d{4}-.*\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({
      version: Number(name.slice(0, 4)),
      sql: await readFile(new URL(name, folder), 'utf8'),
    })),
  );
}

/** The version of the schema in the database; 0 where there is none. */
async function schemaVersion(query: Ask): Promise<number> {
  const [table] = await query("SELECT to_regclass('aquifer.schema_versions') IS NOT NULL AS exists");
  if (!table?.exists) return 0;
  const [newest] = await query('SELECT coalesce(max(version), 0) AS version FROM aquifer.schema_versions');
  return newest?.version as number;
}

/**
 * Brings the schema up to date. Any number of processes may do it at once: one of them does, and the others wait for it. The query must be
 * in a transaction, which undoes a migration that was interrupted.
 *
 * @throws `index-too-new`; `index-not-found` for a reader where there is no schema; `index-outdated` for a reader of an older one;
 *   `missing-dependency` without pgvector
 */
export async function migrate(query: Ask, mode: 'read' | 'write', shown: string): Promise<void> {
  const migrations = await readMigrations();
  const newest = migrations.at(-1)?.version as number;
  const refuseNewer = (version: number): void => {
    if (version <= newest) return;
    throw new AquiferError(
      'index-too-new',
      `The database at ${shown} has schema ${version}; this version of Aquifer knows ${newest}: update Aquifer on this machine.`,
    );
  };
  const found = await schemaVersion(query);
  refuseNewer(found);
  if (found === newest) return;
  if (mode === 'read') {
    if (found === 0) {
      throw new AquiferError(
        'index-not-found',
        `There is no index in the database at ${shown} yet. Fill it: npx aquifer index <folder> --kb postgres://…`,
      );
    }
    throw new AquiferError(
      'index-outdated',
      `The database at ${shown} has schema ${found}, which this version of Aquifer reads after bringing it to ${newest}: ` +
        'open it for writing once, as npx aquifer index does.',
    );
  }
  // Another starter's migrations may take longer than locks are waited for otherwise; their end is certain, as locks of the tables' users are not.
  const [waiting] = await query(
    "SELECT current_setting('lock_timeout') AS before, set_config('lock_timeout', '0', true)",
  );
  await query('SELECT pg_advisory_xact_lock($1)', [lockNumber]);
  await query("SELECT set_config('lock_timeout', $1, true)", [waiting?.before]);
  // The server remembers that it did not find the schema a moment ago, until the transaction locks a table that it had not locked before.
  await query('SELECT FROM pg_catalog.pg_namespace LIMIT 0');
  const version = await schemaVersion(query);
  refuseNewer(version);
  if (version === 0) await prepareDatabase(query, shown);
  for (const migration of migrations) {
    if (migration.version <= version) continue;
    await query(migration.sql);
    await query('INSERT INTO aquifer.schema_versions (version) VALUES ($1)', [migration.version]);
  }
}

async function prepareDatabase(query: Ask, shown: string): Promise<void> {
  const [server] = await query(
    "SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version, " +
      "current_setting('server_encoding') AS encoding",
  );
  if ((server?.number as number) < leastServerVersion) {
    throw new AquiferError(
      'missing-dependency',
      `The server at ${shown} is PostgreSQL ${server?.version}; a shared index needs 15 or newer.`,
    );
  }
  if (server?.encoding !== 'UTF8') {
    throw new AquiferError(
      'invalid-options',
      `The database at ${shown} keeps text as ${server?.encoding}. Make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.`,
    );
  }
  await installExtension(query, shown);
  await query('CREATE SCHEMA IF NOT EXISTS aquifer');
  await query(
    'CREATE TABLE aquifer.schema_versions (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
  );
}

async function installExtension(query: Ask, shown: string): Promise<void> {
  const [found] = await query("SELECT extversion FROM pg_extension WHERE extname = 'vector'");
  if (found !== undefined) return assertExtensionVersion(String(found.extversion), shown);
  try {
    await query('CREATE EXTENSION vector');
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const isForbidden = code === '42501';
    throw new AquiferError(
      'missing-dependency',
      `The database at ${shown} has no pgvector: ${message}. ` +
        (isForbidden
          ? 'Let an administrator of the database run: CREATE EXTENSION vector'
          : 'Install pgvector 0.8 or newer on the server (github.com/pgvector/pgvector), then let an administrator run: CREATE EXTENSION vector'),
      { cause: error },
    );
  }
  const [made] = await query("SELECT extversion FROM pg_extension WHERE extname = 'vector'");
  assertExtensionVersion(String(made?.extversion), shown);
}

function assertExtensionVersion(version: string, shown: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 0 || minor >= 8) return;
  throw new AquiferError(
    'missing-dependency',
    `The database at ${shown} has pgvector ${version}; filtered searches need 0.8 or newer. Update it on the server, then run: ` +
      'ALTER EXTENSION vector UPDATE',
  );
}
