import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createSeededRandom } from '@aquifer/contracts/testing';
import { hostileText } from '../../postgres-store/dist/hostile-text.test-fixture.js';
import { startTestDatabase } from '../../postgres-store/dist/postgres.test-fixture.js';
import { openKnowledgeBase } from './open-knowledge-base.js';

const database = await startTestDatabase();
after(() => database.stop());

describe('files with SQL in their names', () => {
  it('are indexed, found, moved and deleted as any others', async () => {
    const folder = mkdtempSync(join(tmpdir(), "aquifer-'); DROP TABLE aquifer.documents; --"));
    const random = createSeededRandom(12);
    const names = [
      "'); DROP TABLE aquifer.documents; --",
      '$$; ROLLBACK; --',
      '%',
      '"',
      '\\',
      "E'\\''",
      '1 OR 1=1',
    ].concat(Array.from({ length: 20 }, () => hostileText(random, 40)));
    // No file system has a slash in a name; what begins with a dot is hidden.
    const files = names.map((name, n) => `${n} ${name.replaceAll('/', '').trim()}.md`);
    for (const [n, file] of files.entries()) {
      const attributes = { [`a'; ${names[n]}`.slice(0, 200)]: `${names[n]}` };
      writeFileSync(join(folder, file), `# ${file}\n\nThe word of this paper is number${n}.\n`);
      writeFileSync(join(folder, `${file}.metadata.json`), JSON.stringify({ metadataAttributes: attributes }));
    }
    const knowledgeBase = await openKnowledgeBase({ location: database.location() });
    const summary = await knowledgeBase.index(folder);
    assert.deepEqual([summary.new, summary.failed], [files.length, 0]);
    assert.deepEqual((await knowledgeBase.documents()).map(({ source }) => source).sort(), [...files].sort());
    for (const [n, file] of files.entries()) {
      const filter = { equals: { key: `a'; ${names[n]}`.slice(0, 200), value: `${names[n]}` } };
      const { matches } = await knowledgeBase.search(`number${n}`, { limit: 1, filter });
      assert.equal(matches[0]?.source, file);
    }
    mkdirSync(join(folder, "' OR true --"));
    for (const file of files) rmSync(join(folder, file));
    writeFileSync(join(folder, "' OR true --", 'x.md'), 'The last one.');
    const last = await knowledgeBase.index(folder, { maxDeletePercent: 100 });
    assert.deepEqual([last.new, last.deleted], [1, files.length]);
    await knowledgeBase.close();
    rmSync(folder, { recursive: true });
  });
});
