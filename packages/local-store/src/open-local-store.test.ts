import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Store } from '@aquifer/contracts';
import { storeContract } from '@aquifer/contracts/testing';
import { openLocalStore } from './open-local-store.js';

for (const { name, ...options } of [
  { name: 'index auto', index: 'auto' },
  { name: 'index hnsw', index: 'hnsw' },
  { name: "on the caller's thread", ownThreads: false },
] as const) {
  storeContract(
    { describe, it },
    {
      name: `local store, ${name}`,
      async create({ analyser }) {
        const location = await mkdtemp(join(tmpdir(), 'aquifer-store-'));
        let store: Store = await openLocalStore({ location, analyser, ...options });
        return {
          store,
          async reopen() {
            await store.close();
            store = await openLocalStore({ location, analyser, ...options });
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
