import { isAquiferError, type Manifest } from '@aquifer/contracts';
import pg from 'pg';
import { migrate } from './migrations.js';
import { parsePostgresLocation } from './postgres-location.js';
import { createTransactions, type Transactions } from './transactions.js';

/** The knowledge bases of the tenant that a location names. The name in the location says nothing here. */
export interface PostgresKnowledgeBases {
  /** In order of name; none where there are no tables yet. */
  list(): Promise<readonly Manifest['knowledgeBase'][]>;
  /** Deletes everything of one, for good; returns whether it was there. */
  remove(name: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * @throws `index-unavailable`, `credentials-refused`, `missing-dependency`, `index-outdated`, `index-too-new`, `invalid-options`
 * @example const bases = openPostgresKnowledgeBases('postgres://aquifer@localhost/aquifer?tenant=acme');
 */
export function openPostgresKnowledgeBases(address: string): PostgresKnowledgeBases {
  const location = parsePostgresLocation(address);
  const { tenant, shown } = location;
  const transactions: Transactions = createTransactions({ location });
  return {
    async list() {
      try {
        return await transactions.read(async (query) => {
          await migrate(query, 'read', shown);
          const rows = await query(
            'SELECT manifest FROM aquifer.knowledge_bases WHERE tenant = $1 ORDER BY knowledge_base',
            [tenant],
          );
          return rows.map(({ manifest }) => (JSON.parse(manifest as string) as Manifest).knowledgeBase);
        });
      } catch (error) {
        if (isAquiferError(error, 'index-not-found')) return [];
        throw error;
      }
    },
    remove: (name) =>
      transactions.write(async (query) => {
        // Held until the end: who writes into it meanwhile waits, and then finds nothing.
        const [found] = await query(
          'SELECT 1 AS one FROM aquifer.knowledge_bases WHERE tenant = $1 AND knowledge_base = $2 FOR UPDATE',
          [tenant, name],
        );
        const tables = await query(
          `SELECT DISTINCT table_name AS name FROM information_schema.columns
           WHERE table_schema = 'aquifer' AND column_name = 'knowledge_base' ORDER BY table_name`,
        );
        for (const table of tables) {
          await query(
            `DELETE FROM aquifer.${pg.escapeIdentifier(table.name as string)} WHERE tenant = $1 AND knowledge_base = $2`,
            [tenant, name],
          );
        }
        return found !== undefined;
      }),
    close: () => transactions.close(),
  };
}
