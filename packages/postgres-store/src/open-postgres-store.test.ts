import { after, describe, it } from 'node:test';
import { storeContract } from '@aquifer/contracts/testing';
import { openPostgresStore } from './open-postgres-store.js';
import { startTestDatabase } from './postgres.test-fixture.js';

const database = await startTestDatabase();
after(() => database.stop());

for (const index of ['auto', 'hnsw'] as const) {
  storeContract(
    { describe, it },
    {
      name: `${database.kind === 'pglite' ? 'PGlite' : 'PostgreSQL'}, index ${index}`,
      async create({ analyser }) {
        const location = database.location();
        const open = () => openPostgresStore({ location, analyser, index, maxConnections: database.maxConnections });
        let store = await open();
        return {
          store,
          async reopen() {
            await store.close();
            store = await open();
            return store;
          },
          destroy: () => store.close(),
        };
      },
    },
  );
}
