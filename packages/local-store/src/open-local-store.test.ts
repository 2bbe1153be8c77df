import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Store } from '@aquifer/contracts';
import { storeContract } from '@aquifer/contracts/testing';
import { openLocalStore } from './open-local-store.js';

for (const index of ['auto', 'hnsw'] as const) {
  storeContract(
    { describe, it },
    {
      name: `local store, index ${index}`,
      async create({ analyser }) {
        const location = await mkdtemp(join(tmpdir(), 'aquifer-store-'));
        let store: Store = await openLocalStore({ location, analyser, index });
        return {
          store,
          async reopen() {
            await store.close();
            store = await openLocalStore({ location, analyser, index });
            return store;
          },
          async destroy() {
            await store.close();
            await rm(location, { recursive: true });
          },
        };
      },
    },
  );
}
