import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { noOwnServer, type OwnServer, startOwnServer } from '../../postgres-store/dist/own-server.test-fixture.js';
import { openKnowledgeBase } from './open-knowledge-base.js';

const files = 400;

describe('a server that restarts', { skip: noOwnServer }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-restarts-'));
  let server: OwnServer;
  before(async () => {
    server = await startOwnServer();
    for (let n = 0; n < files; n++) {
      mkdirSync(join(folder, `part${n % 7}`), { recursive: true });
      const sentences = Array.from(
        { length: 20 },
        (_, sentence) => `Sentence ${sentence} of paper${n} speaks of topic${n % 11}.`,
      );
      writeFileSync(join(folder, `part${n % 7}`, `paper ${n}.md`), `# Paper ${n}\n\n${sentences.join(' ')}\n`);
    }
  });
  after(async () => {
    await server?.remove();
    rmSync(folder, { recursive: true });
  });

  /** Documents that are committed. */
  const countDocuments = (): Promise<number> =>
    server.administer(async (client) => {
      const { rows } = await client.query('SELECT count(*)::int AS count FROM aquifer.documents');
      return rows[0].count;
    });

  it('in the middle of indexing: everything is there exactly once', async () => {
    const knowledgeBase = await openKnowledgeBase({ location: server.location() });
    let ended = false;
    const indexed = knowledgeBase.index(folder).finally(() => {
      ended = true;
    });
    const seen: number[] = [];
    // Crashes at a fifth, a half and four fifths of the documents.
    for (const share of [0.2, 0.5, 0.8]) {
      let count = 0;
      while (!ended && count < share * files) {
        await wait(20);
        count = await countDocuments();
      }
      if (!ended) {
        seen.push(count);
        await server.restart('immediate');
      }
    }
    const summary = await indexed;
    assert.ok(seen.length > 0 && seen.every((count) => count < files), `restarted at ${seen} documents`);
    assert.deepEqual([summary.new, summary.failed], [files, 0]);
    const documents = await knowledgeBase.documents({ limit: 10_000 });
    assert.equal(new Set(documents.map(({ source }) => source)).size, files);
    assert.equal(documents.length, files);
    assert.ok(documents.every(({ status }) => status === 'indexed'));
    const { chunks } = await knowledgeBase.status();
    assert.equal(
      chunks,
      documents.reduce((sum, { chunkCount }) => sum + chunkCount, 0),
    );
    // No row of any table without its document or chunk, nor twice.
    await server.administer(async (client) => {
      const { rows } = await client.query(
        `SELECT (SELECT count(*)::int FROM aquifer.chunks) AS chunks, (SELECT count(*)::int FROM aquifer.contents) AS contents,
           (SELECT count(*)::int FROM aquifer.chunks WHERE document_id NOT IN (SELECT id FROM aquifer.documents)) AS orphans,
           (SELECT count(DISTINCT chunk)::int FROM aquifer.postings) AS posted`,
      );
      assert.deepEqual(rows[0], { chunks, contents: files, orphans: 0, posted: chunks });
    });
    const again = await knowledgeBase.index(folder);
    assert.deepEqual([again.new, again.modified, again.unchanged, again.deleted], [0, 0, files, 0]);
    await knowledgeBase.close();
  });

  it('in the middle of searching: searches wait for it, and find the same', async () => {
    const knowledgeBase = await openKnowledgeBase({ location: server.location(), mode: 'read' });
    const search = async () => {
      const { matches } = await knowledgeBase.search('what does paper 7 say of topic7?', { limit: 5 });
      return matches.map(({ chunkId, score }) => [chunkId, score]);
    };
    const expected = await search();
    assert.equal(expected.length, 5);
    let searches = 0;
    let ended = false;
    const searchOn = async () => {
      while (!ended) {
        assert.deepEqual(await search(), expected);
        searches++;
      }
    };
    const restart = async () => {
      for (const mode of ['immediate', 'fast', 'immediate'] as const) {
        await server.restart(mode);
        // Until each of them has met a server again.
        for (const before = searches; searches < before + 6 && !ended; ) await wait(10);
      }
    };
    const stopping = <Result>(work: Promise<Result>) =>
      work.finally(() => {
        ended = true;
      });
    await Promise.all([restart(), searchOn(), searchOn(), searchOn()].map(stopping));
    assert.ok(searches >= 18, `${searches} searches`);
    await knowledgeBase.close();
  });
});
