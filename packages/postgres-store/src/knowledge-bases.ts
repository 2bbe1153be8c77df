import { isAquiferError, type Manifest } from '@aquifer/contracts';
import { migrate } from './migrations.js';
import { isNextName, nextName, parsePostgresLocation } from './postgres-location.js';
import { type QueueDepth, queueDepth } from './queue/queue-depth.js';
import { removeRows } from './remove-rows.js';
import { createTransactions, type Transactions } from './transactions.js';

/** The knowledge bases of the tenant that a location names. The name in the location says nothing here. */
export interface PostgresKnowledgeBases {
  /** In order of name; none where there are no tables yet. */
  list(): Promise<readonly Manifest['knowledgeBase'][]>;
  /** Deletes everything of one, for good; returns whether it was there. */
  remove(name: string): Promise<boolean>;
  /** What the workers of this database have to do, for whichever tenant: numbers, and nothing of whose they are. */
  queueDepth(): Promise<QueueDepth>;
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
            'SELECT knowledge_base AS name, manifest FROM aquifer.knowledge_bases WHERE tenant = $1 ORDER BY knowledge_base',
            [tenant],
          );
          return rows
            .filter(({ name }) => !isNextName(name as string))
            .map(({ manifest }) => (JSON.parse(manifest as string) as Manifest).knowledgeBase);
        });
      } catch (error) {
        if (isAquiferError(error, 'index-not-found')) return [];
        throw error;
      }
    },
    remove: (name) =>
      transactions.write(async (query) => {
        const wasThere = await removeRows(query, tenant, name);
        await removeRows(query, tenant, nextName(name));
        return wasThere;
      }),
    queueDepth: () => transactions.read(queueDepth),
    close: () => transactions.close(),
  };
}
