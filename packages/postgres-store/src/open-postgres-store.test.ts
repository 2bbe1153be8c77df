import { after, describe, it } from 'node:test';
import { storeContract } from '@aquifer/contracts/testing';
import { openPostgresStore } from './open-postgres-store.js';
import { startTestDatabase } from './postgres.test-fixture.js';

const database = await startTestDatabase();
after(() => database.stop());

// WebAssembly takes some ten times as long: there fewer vectors, fewer filters and one kind of index; on a server all of it.
const kinds = database.kind === 'server' ? (['auto', 'hnsw'] as const) : (['hnsw'] as const);
const size = database.kind === 'server' ? {} : { recallVectors: 400, generatedFilters: 500 };

for (const index of kinds) {
  storeContract(
    { describe, it },
    {
      name: `${database.kind === 'pglite' ? 'PGlite' : 'PostgreSQL'}, index ${index}`,
      ...size,
      async create({ analyser }) {
        const location = database.location();
        const open = () => openPostgresStore({ location, analyser, index });
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
