import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isAquiferError } from '@aquifer/contracts';
import { startTestDatabase } from '../../postgres-store/dist/postgres.test-fixture.js';
import { openKnowledgeBase } from './open-knowledge-base.js';
import { reEmbedKnowledgeBase } from './re-embed-knowledge-base.js';
import { sharedKnowledgeBases } from './shared-knowledge-bases.js';

const handbook = fileURLToPath(new URL('../../../examples/handbook', import.meta.url));
const question = 'parental leave in Japan';

/** What the child process does: says how many documents are done until it is killed. */
async function reEmbedInChild(location: string): Promise<void> {
  await reEmbedKnowledgeBase(
    { location, embedder: 'builtin:256' },
    { onProgress: ({ done }) => process.stdout.write(`${done}\n`) },
  );
}

/** Kills the child after so many documents. */
function killedAfter(location: string, documents: number): Promise<NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'child', location], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.setEncoding('utf8').on('data', (lines: string) => {
      if (Number(lines.trimEnd().split('\n').at(-1)) >= documents) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (_code, signal) => resolve(signal));
  });
}

if (process.argv[2] === 'child') await reEmbedInChild(process.argv[3] as string);
else {
  const database = await startTestDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-re-embed-'));
  after(async () => {
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  /** PGlite takes two transactions for one. */
  const needsServer = { skip: database.kind === 'server' ? false : 'needs a server: scripts/test-postgres.sh' };

  const make = async (location: string, documents = handbook) => {
    const knowledgeBase = await openKnowledgeBase({ location, embedder: 'builtin' });
    await knowledgeBase.index(documents);
    return knowledgeBase;
  };
  /** Scores of a folder with this embedder, which is what a database must give too. */
  const expected = async (embedder: string) => {
    const location = join(folder, embedder);
    const knowledgeBase = await openKnowledgeBase({ location, embedder });
    await knowledgeBase.index(handbook);
    const { matches } = await knowledgeBase.search(question, { mode: 'dense', limit: 5 });
    await knowledgeBase.close();
    return matches.map(({ chunkId, score }) => ({ chunkId, score: score.toFixed(4) }));
  };
  const found = async (location: string) => {
    const knowledgeBase = await openKnowledgeBase({ location, mode: 'read' });
    const { matches } = await knowledgeBase.search(question, { mode: 'dense', limit: 5 });
    const embedder = (await knowledgeBase.status()).embedder.name;
    await knowledgeBase.close();
    return { embedder, matches: matches.map(({ chunkId, score }) => ({ chunkId, score: score.toFixed(4) })) };
  };

  describe('embedding a knowledge base in PostgreSQL again', () => {
    it('changes its embedder, keeps its id, its documents and what was indexed, and reads no file', async () => {
      const documents = join(folder, 'moved away');
      cpSync(handbook, documents, { recursive: true });
      const location = database.location();
      const before = await make(location, documents);
      const listed = await before.documents({ limit: 1_000 });
      const { matches } = await before.search(question, { limit: 5 });
      rmSync(documents, { recursive: true });
      const seen: unknown[] = [];
      await reEmbedKnowledgeBase(
        { location, embedder: 'builtin:256' },
        { onProgress: ({ done, total }) => void seen.push(`${done}/${total}`) },
      );
      assert.equal(seen.length, listed.length);
      // The handle that is open still says what to do, and the next one goes by the new embedder by itself.
      await assert.rejects(
        before.search(question, { limit: 5 }),
        (error) => isAquiferError(error, 'embedder-mismatch') && error.retryable && /open it again/.test(error.message),
      );
      await before.close();
      const now = await found(location);
      assert.equal(now.embedder, 'builtin:256');
      assert.ok(now.matches.length === matches.length);
      const after = await openKnowledgeBase({ location });
      assert.deepEqual([after.id, after.name], [before.id, before.name]);
      const kept = await after.documents({ limit: 1_000 });
      assert.deepEqual(
        kept.map(({ id, source, contentHash, indexedAt }) => [id, source, contentHash, indexedAt]),
        listed.map(({ id, source, contentHash, indexedAt }) => [id, source, contentHash, indexedAt]),
      );
      cpSync(handbook, documents, { recursive: true, preserveTimestamps: true });
      const again = await after.index(documents);
      assert.deepEqual([again.new, again.embedded, again.deleted], [0, 0, 0]);
      await after.close();
    });

    it('gives the scores that the same embedder gives from the beginning', async () => {
      const location = database.location();
      await (await make(location)).close();
      await reEmbedKnowledgeBase({ location, embedder: 'builtin:256' });
      const ranks = (matches: readonly { chunkId: string; score: string }[]) => matches.map(({ score }) => score);
      assert.deepEqual(ranks((await found(location)).matches), ranks(await expected('builtin:256')));
    });

    it('keeps the old index when it is stopped, and says where there is none', async () => {
      const location = database.location();
      await assert.rejects(reEmbedKnowledgeBase({ location }), (error) => isAquiferError(error, 'index-not-found'));
      await (await make(location)).close();
      const before = await found(location);
      const stop = new AbortController();
      const run = reEmbedKnowledgeBase(
        { location, embedder: 'builtin:256' },
        { signal: stop.signal, onProgress: ({ done }) => done === 5 && stop.abort() },
      );
      await assert.rejects(run, (error) => isAquiferError(error, 'aborted'));
      assert.deepEqual(await found(location), before);
    });

    it(
      'killed in the middle leaves the old index whole; the next run goes on, and leaves nothing of itself',
      needsServer,
      async () => {
        const location = database.location({ tenant: 'killed' });
        await (await make(location)).close();
        const before = await found(location);
        for (const documents of [3, 12]) {
          assert.equal(await killedAfter(location, documents), 'SIGKILL');
          assert.deepEqual(await found(location), before);
          const bases = await sharedKnowledgeBases(location);
          assert.equal((await bases.list()).length, 1);
          await bases.close();
        }
        await reEmbedKnowledgeBase({ location, embedder: 'builtin:256' });
        assert.equal((await found(location)).embedder, 'builtin:256');
        const again = await openKnowledgeBase({ location });
        assert.equal((await again.index(handbook)).unchanged, (await again.documents({ limit: 1_000 })).length);
        await again.close();
      },
    );

    it('has what is indexed meanwhile, and what is searched meanwhile is answered', needsServer, async () => {
      const location = database.location();
      const writer = await make(location);
      const news = mkdtempSync(join(folder, 'news-'));
      writeFileSync(join(news, 'new.md'), '# New\n\nA platypus was seen in the canteen.\n');
      const reader = await openKnowledgeBase({ location, mode: 'read' });
      const meanwhile: Promise<number>[] = [];
      let isWritten = false;
      await reEmbedKnowledgeBase(
        { location, embedder: 'builtin:256' },
        {
          onProgress: ({ done }) => {
            meanwhile.push(reader.search(question, { limit: 5 }).then(({ matches }) => matches.length));
            if (done !== 3) return;
            meanwhile.push(
              writer.index(news).then(({ new: added }) => {
                isWritten = true;
                return 4 + added;
              }),
            );
          },
        },
      ).catch(async (error) => {
        await Promise.allSettled(meanwhile);
        throw error;
      });
      // The writer may have come too late: then it was told so.
      const outcomes = await Promise.allSettled(meanwhile);
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') assert.equal(outcome.value, 5);
        else assert.ok(isAquiferError(outcome.reason, 'embedder-mismatch') && outcome.reason.retryable, outcome.reason);
      }
      assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
      await Promise.all([writer.close(), reader.close()]);
      const now = await openKnowledgeBase({ location });
      const { matches } = await now.search('platypus in the canteen', { limit: 1, mode: 'keyword' });
      if (isWritten) assert.match(matches[0]?.text ?? '', /platypus/);
      await now.close();
    });
  });
}
