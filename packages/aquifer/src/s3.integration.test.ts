import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import type { IngestionEvent } from '@aquifer/ingestion';
import { createTestBucket, needsS3, type TestBucket } from '../../ingestion/dist/sources/s3/s3.test-fixture.js';
import { dryRunIndex } from './dry-run-index.js';
import type { IndexSummary, KnowledgeBase } from './knowledge-base.js';
import { openKnowledgeBase } from './open-knowledge-base.js';
import { watchIndex } from './watch-index.js';

const folder = mkdtempSync(join(tmpdir(), 'aquifer-s3-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;
const newLocation = () => join(folder, `index-${made++}`);

const open = (bucket: TestBucket, location = newLocation()): Promise<KnowledgeBase> =>
  openKnowledgeBase({ location, s3: { client: bucket.client } });

const sourcesOf = async (knowledgeBase: KnowledgeBase) =>
  (await knowledgeBase.documents()).map(({ uri }) => uri).sort();

const changes = ({ new: added, modified, moved, unchanged, deleted, failed }: IndexSummary) => ({
  added,
  modified,
  moved,
  unchanged,
  deleted,
  failed,
});

const nothing = { added: 0, modified: 0, moved: 0, unchanged: 0, deleted: 0, failed: 0 };

describe('a knowledge base of a bucket', needsS3, () => {
  it('is searched and cited by s3:// URIs, and brought up to date', async () => {
    const bucket = await createTestBucket({ versions: true });
    await bucket.put('people/leave.md', '# Leave\n\nFull-time employees may take 52 weeks of parental leave.');
    await bucket.put('people/leave.md.metadata.json', '{"metadataAttributes":{"country":"JP"}}');
    await bucket.put('people/hours.md', '# Hours\n\nThe office opens at nine.');
    await bucket.put('people/old.md', '# Old\n\nThis page will be deleted.');
    const knowledgeBase = await open(bucket);
    const root = `s3://${bucket.name}/people`;
    assert.deepEqual(changes(await knowledgeBase.index(root)), { ...nothing, added: 3 });

    const filter = { equals: { key: 'country', value: 'JP' } };
    const { matches } = await knowledgeBase.search('parental leave', { filter });
    assert.equal(matches[0]?.source, 'leave.md');
    const document = await knowledgeBase.document(matches[0]?.documentId ?? '');
    assert.equal(document.uri, `${root}/leave.md`);

    assert.deepEqual(changes(await knowledgeBase.index(root)), { ...nothing, unchanged: 3 });
    await bucket.put('people/hours.md', '# Hours\n\nThe office opens at ten.');
    await bucket.put('people/new.md', '# New\n\nA new page.');
    await bucket.delete('people/old.md');
    const events: IngestionEvent[] = [];
    const summary = await knowledgeBase.index(root, { onEvent: (event) => events.push(event) });
    assert.deepEqual(changes(summary), { ...nothing, added: 1, modified: 1, unchanged: 1, deleted: 1 });
    assert.ok(events.some(({ source, status }) => source === 'old.md' && status === 'deleted'));
    await knowledgeBase.close();
  });

  it('keeps two prefixes and a folder apart, and an object one document however it was asked for', async () => {
    const bucket = await createTestBucket();
    await bucket.put('a/one.md', '# One\n\nThe first of all pages.');
    await bucket.put('b/two.md', '# Two\n\nThe second of all pages.');
    const local = join(folder, 'local');
    mkdirSync(local);
    writeFileSync(join(local, 'three.md'), '# Three\n\nThe third of all pages.');
    const knowledgeBase = await open(bucket);
    const [a, b] = [`s3://${bucket.name}/a/`, `s3://${bucket.name}/b`];
    assert.deepEqual(changes(await knowledgeBase.index([a, local, b])), { ...nothing, added: 3 });
    assert.equal((await sourcesOf(knowledgeBase)).filter((uri) => uri.startsWith('s3://')).length, 2);

    await bucket.put('a/one.md', '# One\n\nThe first page of all.');
    await bucket.put('b/two.md', '# Two\n\nThe second page of all.');
    assert.deepEqual(changes(await knowledgeBase.index(`s3://${bucket.name}/a/one.md`)), { ...nothing, modified: 1 });
    // The bucket becomes a root of its own; what lies in the others stays theirs.
    await bucket.put('c.md', '# Three\n\nAt the top.');
    const whole = await knowledgeBase.index(`s3://${bucket.name}`);
    assert.deepEqual(changes(whole), { ...nothing, added: 1, modified: 1, unchanged: 1 });
    assert.deepEqual(changes(await knowledgeBase.index(local)), { ...nothing, unchanged: 1 });
    assert.equal((await knowledgeBase.documents()).length, 4);
    await knowledgeBase.close();
  });

  it('refuses to delete too much, and remembers which objects are to be taken', async () => {
    const bucket = await createTestBucket();
    for (const key of ['1.md', '2.md', '3.md', '4.log']) await bucket.put(key, `Text of ${key}.`);
    const knowledgeBase = await open(bucket);
    const root = `s3://${bucket.name}`;
    await knowledgeBase.index(root, { exclude: ['*.log'] });
    assert.equal((await knowledgeBase.documents()).length, 3);
    for (const key of ['1.md', '2.md']) await bucket.delete(key);
    await assert.rejects(knowledgeBase.index(root), (error) => isAquiferError(error, 'too-many-deletions'));
    assert.equal((await knowledgeBase.documents()).length, 3);
    assert.equal((await knowledgeBase.index(root, { maxDeletePercent: 100 })).deleted, 2);
    assert.deepEqual(await sourcesOf(knowledgeBase), [`${root}/3.md`]);
    await knowledgeBase.close();
  });

  it('makes a dry run without an index, and with one', async () => {
    const bucket = await createTestBucket();
    await bucket.put('a.md', 'Some text.');
    const options = { location: newLocation(), s3: { client: bucket.client } };
    assert.equal((await dryRunIndex(options, `s3://${bucket.name}`)).new, 1);
    const knowledgeBase = await open(bucket, options.location);
    assert.equal((await knowledgeBase.index(`s3://${bucket.name}`, { dryRun: true })).new, 1);
    assert.deepEqual(await knowledgeBase.documents(), []);
    await knowledgeBase.close();
  });

  it('says what is not there, and changes nothing', async () => {
    const bucket = await createTestBucket();
    await bucket.put('handbook/a.md', 'Some text.');
    const knowledgeBase = await open(bucket);
    for (const missing of [`s3://${bucket.name}/hand`, 's3://no-such-bucket-here/x', 's3://no-such-bucket-here']) {
      await assert.rejects(knowledgeBase.index(missing), (error) => isAquiferError(error, 'source-not-found'));
    }
    await assert.rejects(knowledgeBase.index('s3://'), (error) => isAquiferError(error, 'invalid-options'));
    await knowledgeBase.close();
  });

  it('does not read what is too large', async () => {
    const bucket = await createTestBucket();
    await bucket.put('large.md', 'word '.repeat(10_000));
    const knowledgeBase = await openKnowledgeBase({
      location: newLocation(),
      s3: { client: bucket.client },
      maxFileMb: 0.01,
    });
    const summary = await knowledgeBase.index(`s3://${bucket.name}`);
    assert.deepEqual(changes(summary), { ...nothing, failed: 1 });
    assert.match((await knowledgeBase.status()).failures[0]?.reason ?? '', /--max-file-mb/);
    await knowledgeBase.close();
  });

  it('is watched by listing it again', async () => {
    const bucket = await createTestBucket();
    await bucket.put('a.md', 'The first text.');
    const rounds: IndexSummary[] = [];
    const stop = new AbortController();
    await watchIndex({ location: newLocation(), s3: { client: bucket.client } }, `s3://${bucket.name}`, {
      signal: stop.signal,
      checkEveryMs: 50,
      checkShare: 1,
      onRound: async (summary) => {
        rounds.push(summary);
        if (rounds.length === 1) await bucket.put('b.md', 'The second text.');
        if (summary.new === 1 && rounds.length > 1) stop.abort();
      },
    }).catch((error: unknown) => assert.ok(isAquiferError(error, 'aborted')));
    assert.equal(rounds[0]?.new, 1);
    assert.equal(rounds.at(-1)?.new, 1);
  });
});
