import { canEncrypt, openSql } from './database/sqlite-driver.js';
import { loadHnswLibrary } from './vectors/hnsw-graph.js';
import { hasVectorInstructions } from './vectors/inner-products.js';

/** What the embedded index can do on this machine, with this Node. */
export interface StoreAbilities {
  /** What opens databases; undefined where nothing does. */
  readonly sqlite?: { readonly driver: 'better-sqlite3-multiple-ciphers' | 'node:sqlite'; readonly version: string };
  readonly encryption: boolean;
  /** Whether a graph can be built: `hnswlib-node`. Without, searches are exact. */
  readonly graph: boolean;
  /** Whether exact search uses the processor's vector instructions. */
  readonly vectorInstructions: boolean;
}

export function storeAbilities(): StoreAbilities {
  return {
    ...findSqlite(),
    encryption: canEncrypt(),
    graph: loadHnswLibrary() !== undefined,
    vectorInstructions: hasVectorInstructions(),
  };
}

function findSqlite(): Pick<StoreAbilities, 'sqlite'> {
  try {
    const database = openSql(':memory:', { create: true, busyTimeoutMs: 0 });
    try {
      // The keyword index needs FTS5, which is an option when SQLite is compiled.
      database.exec('CREATE VIRTUAL TABLE probe USING fts5 (text)');
      const version = String(database.prepare('SELECT sqlite_version()').rows()[0]?.[0]);
      return { sqlite: { driver: database.driver, version } };
    } finally {
      database.close();
    }
  } catch {
    return {};
  }
}
