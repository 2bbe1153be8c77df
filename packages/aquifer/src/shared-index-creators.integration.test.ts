import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { startTestDatabase } from '../../postgres-store/dist/postgres.test-fixture.js';
import { openKnowledgeBase } from './open-knowledge-base.js';

const database = await startTestDatabase();
after(() => database.stop());

describe('a knowledge base that several make at the same moment', {
  skip: database.kind === 'pglite' && 'PGlite takes one at a time',
}, () => {
  it('is one, for all of them', async () => {
    for (let round = 0; round < 8; round += 1) {
      const location = database.location();
      const made = await Promise.all(Array.from({ length: 5 }, () => openKnowledgeBase({ location, threads: 1 })));
      assert.equal(new Set(made.map(({ id }) => id)).size, 1);
      await Promise.all(made.map((each) => each.close()));
    }
  });

  it('is that of the first where they want different embedders, and the others are told', async () => {
    for (let round = 0; round < 8; round += 1) {
      const location = database.location();
      const embedders = ['builtin', 'builtin:256', 'builtin:512', 'builtin:256'];
      const results = await Promise.allSettled(
        embedders.map((embedder) => openKnowledgeBase({ location, embedder, threads: 1 })),
      );
      const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const [first] = made;
      assert.ok(first);
      const embedder = embedders[results.findIndex(({ status }) => status === 'fulfilled')];
      for (const [index, result] of results.entries()) {
        if (result.status === 'rejected') {
          assert.notEqual(embedders[index], embedder);
          assert.ok(isAquiferError(result.reason, 'embedder-mismatch'), String(result.reason));
        } else {
          assert.equal(embedders[index], embedder);
          assert.equal(result.value.id, first.id);
        }
      }
      await Promise.all(made.map((each) => each.close()));
    }
  });
});
