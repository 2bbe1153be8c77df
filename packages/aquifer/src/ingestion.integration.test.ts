import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { AquiferError, isAquiferError, type SourceItem } from '@aquifer/contracts';
import { createMemorySource, type IngestionRunOptions } from '@aquifer/ingestion';
import { openLocalStore } from '@aquifer/local-store';
import { createAnalyser } from '@aquifer/text-analysis';
import { createIngestionFixture, type Fixture, wrapSource } from './testing/ingestion-fixture.js';

let fixture: Fixture;

beforeEach(async () => {
  fixture = await createIngestionFixture();
});
afterEach(() => fixture.close());

const hasCode = (code: AquiferError['code'], part = '') => {
  return (error: unknown) => isAquiferError(error, code) && error.message.includes(part);
};

function writeMany(count: number, prefix = 'file'): void {
  for (let index = 0; index < count; index += 1)
    fixture.write(`${prefix}-${index}.txt`, `${prefix} ${index}\ntext ${index}`);
}

describe('a folder into the local store', () => {
  it('indexes what is there and says what it did', async () => {
    fixture.write('people/leave-policy-2025.txt', 'Leave is 52 weeks.\nAsk early.');
    fixture.write('titled.txt', '# Nursery places\nThere are some.');
    fixture.write('titled.txt.metadata.json', '{"metadataAttributes":{"country":"JP","reader":"sidecar"}}');
    fixture.write('photo.raw', 'x');
    const { summary, events } = await fixture.index();
    const { ms, tokens, ...counts } = summary;
    assert.deepEqual(counts, {
      ...{ scanned: 2, new: 2, modified: 0, moved: 0, unchanged: 0, ignored: 0, failed: 0, deleted: 0, skipped: 1 },
      ...{ hidden: 0, excluded: 0, outside: 0, chunks: 4, embedded: 4, cacheHits: 0, requests: 0 },
    });
    assert.ok(ms > 0 && tokens > 0);
    assert.deepEqual(
      events.map(({ ms: _, ...event }) => event).sort((a, b) => (a.source < b.source ? -1 : 1)),
      [
        { type: 'document', source: 'people/leave-policy-2025.txt', status: 'indexed', chunks: 2 },
        { type: 'document', source: 'titled.txt', status: 'indexed', chunks: 2 },
      ],
    );
    const [leave, titled] = await fixture.documents();
    assert.equal(leave?.title, 'leave policy 2025');
    assert.equal(leave.status, 'indexed');
    assert.equal(leave.chunkCount, 2);
    assert.equal(leave.bytes, 29);
    assert.match(leave.contentHash, /^[0-9a-f]{64}$/);
    assert.equal(titled?.title, 'Nursery places');
    assert.deepEqual(titled.metadata, { country: 'JP', reader: 'sidecar' });
    const { matches } = await fixture.store.searchKeyword({ text: 'weeks', limit: 5 });
    assert.equal(matches.length, 1);
  });

  it('makes an empty folder an empty index', async () => {
    const { summary, events } = await fixture.index();
    assert.equal(summary.scanned, 0);
    assert.deepEqual(events, []);
  });

  it('opens no file and embeds nothing when nothing has changed', async () => {
    writeMany(50);
    await fixture.index();
    const before = await fixture.content();
    const { summary, events } = await fixture.index();
    assert.equal(summary.unchanged, 50);
    assert.deepEqual(events, []);
    assert.deepEqual(fixture.counts, { opened: 0, extracted: 0, embedded: [] });
    assert.deepEqual(await fixture.content(), before);
  });

  it('reads a file that was only touched once more, and does no more with it', async () => {
    fixture.write('a.txt', 'one\ntwo');
    await fixture.index();
    utimesSync(join(fixture.files, 'a.txt'), 5_000, 5_000);
    const { summary } = await fixture.index();
    assert.equal(summary.unchanged, 1);
    assert.deepEqual(fixture.counts, { opened: 1, extracted: 0, embedded: [] });
    await fixture.index();
    assert.equal(fixture.counts.opened, 0);
  });

  it('does not mind files from the future, nor a clock that was set back', async () => {
    fixture.write('a.txt', 'one');
    // The year 2096.
    utimesSync(join(fixture.files, 'a.txt'), 4_000_000_000, 4_000_000_000);
    await fixture.index();
    assert.equal((await fixture.index()).summary.unchanged, 1);
    assert.equal(fixture.counts.opened, 0);
    // Of the same length, and older than what is indexed.
    fixture.write('a.txt', 'two');
    assert.equal((await fixture.index()).summary.modified, 1);
    const { id } = await fixture.document('a.txt');
    assert.equal((await fixture.store.getContent(id))?.text, 'two');
  });

  it('embeds only the paragraph that was inserted', async () => {
    const lines = Array.from({ length: 300 }, (_, index) => `paragraph ${index}`);
    fixture.write('long.txt', lines.join('\n'));
    await fixture.index();
    const before = await fixture.store.listChunks((await fixture.document('long.txt')).id);
    fixture.write('long.txt', ['inserted', ...lines].join('\n'));
    const { summary } = await fixture.index();
    assert.deepEqual(fixture.counts.embedded, ['long\ninserted']);
    assert.equal(summary.modified, 1);
    assert.equal(summary.embedded, 1);
    assert.equal(summary.cacheHits, 300);
    const after = await fixture.store.listChunks((await fixture.document('long.txt')).id);
    assert.deepEqual(
      after.slice(1).map(({ id }) => id),
      before.map(({ id }) => id),
    );
  });

  it('embeds a text that many files share once', async () => {
    for (const name of ['a', 'b', 'c']) fixture.write(`${name}/notice.txt`, 'same\nsame again');
    const { summary } = await fixture.index();
    assert.equal(summary.chunks, 6);
    assert.equal(summary.embedded, 2);
    assert.equal(summary.cacheHits, 4);
  });

  it('takes up a changed sidecar', async () => {
    fixture.write('a.txt', 'text');
    await fixture.index();
    fixture.write('a.txt.metadata.json', '{"metadataAttributes":{"year":2025}}');
    const { summary } = await fixture.index();
    assert.equal(summary.modified, 1);
    assert.deepEqual((await fixture.document('a.txt')).metadata, { reader: 'text', year: 2025 });
    assert.deepEqual(fixture.counts.embedded, []);
    fixture.remove('a.txt.metadata.json');
    await fixture.index();
    assert.deepEqual((await fixture.document('a.txt')).metadata, { reader: 'text' });
  });

  it('makes everything again, from the cache, when the chunker or a reader is another one', async () => {
    writeMany(5);
    await fixture.index();
    const { summary } = await fixture.index({ chunkerFingerprint: 'paragraphs-2' });
    assert.equal(summary.modified, 5);
    assert.equal(summary.embedded, 0);
    assert.equal((await fixture.index({ chunkerFingerprint: 'paragraphs-2' })).summary.unchanged, 5);
    const other = await fixture.index({ chunkerFingerprint: 'paragraphs-2', readerFingerprint: '2' });
    assert.equal(other.summary.modified, 5);
  });

  it('keeps the vectors of a document of thousands of chunks out of memory and loses none', async () => {
    const lines = Array.from({ length: 3_000 }, (_, index) => `paragraph ${index}`);
    fixture.write('long.txt', lines.join('\n'));
    const { summary } = await fixture.index();
    assert.equal(summary.embedded, 3_000);
    assert.equal((await fixture.store.stats()).index.vectors, 3_000);
    fixture.write('long.txt', ['inserted', ...lines].join('\n'));
    assert.equal((await fixture.index()).summary.embedded, 1);
  });

  it('bounds the bytes in work and still lets a larger file through', async () => {
    writeMany(20);
    fixture.write('large.txt', 'x'.repeat(5_000));
    const { summary } = await fixture.index({ maxBytesInFlight: 100 });
    assert.equal(summary.new, 21);
  });

  it('does not read a file that is too large', async () => {
    fixture.write('large.txt', 'x'.repeat(5_000));
    const { summary, events } = await fixture.index({ maxDocumentBytes: 4_999 });
    assert.equal(summary.failed, 1);
    assert.match(events[0]?.reason ?? '', /large\.txt has 0\.004\d* MB/);
    assert.equal(fixture.counts.opened, 0);
  });

  it('reports its progress up to the end', async () => {
    writeMany(10);
    await fixture.index();
    writeMany(5, 'new');
    const phases: string[] = [];
    let last: { readonly done: number; readonly total: number; readonly chunks: number } | undefined;
    await fixture.index({
      onProgress: (progress) => {
        if (phases.at(-1) !== progress.phase) phases.push(progress.phase);
        last = progress;
      },
    });
    assert.deepEqual(phases, ['listing', 'reading']);
    assert.equal(last?.done, 15);
    assert.equal(last.total, 15);
    assert.equal(last.chunks, 10);
  });
});

describe('moved and deleted files', () => {
  it('keeps a moved document with its id and chunks', async () => {
    fixture.write('old/note.txt', 'one\ntwo');
    await fixture.index();
    const before = await fixture.document('old/note.txt');
    mkdirSync(join(fixture.files, 'new'));
    renameSync(join(fixture.files, 'old/note.txt'), join(fixture.files, 'new/note.txt'));
    const { summary, events } = await fixture.index();
    assert.equal(summary.moved, 1);
    assert.equal(summary.deleted, 0);
    assert.deepEqual(fixture.counts, { opened: 1, extracted: 0, embedded: [] });
    const { ms: _, ...event } = events[0] ?? assert.fail();
    assert.deepEqual(event, {
      ...{ type: 'document', source: 'new/note.txt', status: 'moved', from: 'old/note.txt', chunks: 0 },
    });
    const after = await fixture.document('new/note.txt');
    assert.equal(after.id, before.id);
    assert.match(after.uri, /files\/new\/note\.txt$/);
    assert.equal((await fixture.documents()).length, 1);
    assert.equal((await fixture.index()).summary.unchanged, 1);
  });

  it('keeps a document whose name changes in nothing but upper and lower case', async () => {
    fixture.write('Readme.txt', '# Title\none');
    await fixture.index();
    const { id } = await fixture.document('Readme.txt');
    renameSync(join(fixture.files, 'Readme.txt'), join(fixture.files, 'README.txt'));
    const { summary } = await fixture.index();
    assert.deepEqual([summary.moved, summary.new, summary.deleted], [1, 0, 0]);
    assert.deepEqual(fixture.counts.embedded, []);
    assert.equal((await fixture.document('README.txt')).id, id);
    assert.equal((await fixture.documents()).length, 1);
  });

  it('makes a renamed document again when its name is its title', async () => {
    fixture.write('leave.txt', 'one');
    fixture.write('titled.txt', '# Title\none');
    await fixture.index();
    const before = await fixture.document('leave.txt');
    renameSync(join(fixture.files, 'leave.txt'), join(fixture.files, 'holidays.txt'));
    renameSync(join(fixture.files, 'titled.txt'), join(fixture.files, 'other.txt'));
    const { summary } = await fixture.index();
    assert.equal(summary.moved, 2);
    assert.deepEqual(fixture.counts.embedded, ['holidays\none']);
    const after = await fixture.document('holidays.txt');
    assert.equal(after.id, before.id);
    assert.equal(after.title, 'holidays');
    assert.equal((await fixture.store.listChunks(after.id))[0]?.context, 'holidays');
  });

  it('gives a new file at the place of a moved one an id of its own', async () => {
    fixture.write('a.txt', '# Title\nold');
    await fixture.index();
    renameSync(join(fixture.files, 'a.txt'), join(fixture.files, 'b.txt'));
    await fixture.index();
    fixture.write('a.txt', 'new');
    await fixture.index();
    const [a, b] = await fixture.documents();
    assert.equal(a?.source, 'a.txt');
    assert.equal(b?.source, 'b.txt');
    assert.notEqual(a.id, b.id);
    assert.equal((await fixture.index()).summary.unchanged, 2);
  });

  it('tells copies from moves', async () => {
    fixture.write('a.txt', '# Title\ntext');
    await fixture.index();
    fixture.write('b.txt', '# Title\ntext');
    const { summary } = await fixture.index();
    assert.equal(summary.new, 1);
    assert.equal(summary.moved, 0);
    assert.equal(summary.embedded, 0);
    assert.equal((await fixture.documents()).length, 2);
  });

  it('deletes what is gone', async () => {
    writeMany(4);
    await fixture.index();
    fixture.remove('file-1.txt');
    const { summary, events } = await fixture.index();
    assert.equal(summary.deleted, 1);
    assert.deepEqual(events, [{ type: 'document', source: 'file-1.txt', status: 'deleted', chunks: 0, ms: 0 }]);
    assert.equal((await fixture.documents()).length, 3);
    assert.equal((await fixture.store.searchKeyword({ text: 'text', limit: 10 })).matches.length, 3);
  });

  it('refuses to delete more than it may, after everything else is done', async () => {
    writeMany(4);
    await fixture.index();
    for (const index of [0, 1, 2]) fixture.remove(`file-${index}.txt`);
    fixture.write('new.txt', 'new');
    await assert.rejects(fixture.index(), hasCode('too-many-deletions', '3 of 4 documents'));
    assert.equal((await fixture.documents()).length, 5);
    assert.equal((await fixture.document('new.txt')).status, 'indexed');
    await assert.rejects(fixture.index({ maxDeletePercent: 0 }), hasCode('too-many-deletions', '--max-delete 60'));
    const { summary } = await fixture.index({ maxDeletePercent: 60 });
    assert.equal(summary.deleted, 3);
  });

  it('refuses a share that is none', async () => {
    for (const maxDeletePercent of [-1, 101, Number.NaN]) {
      await assert.rejects(fixture.index({ maxDeletePercent }), hasCode('invalid-options', '--max-delete'));
    }
  });

  it('deletes nothing outside the paths of the run', async () => {
    for (const path of ['a/1.txt', 'a/2.txt', 'a/3.txt', 'ab/1.txt', 'b/1.txt']) fixture.write(path, path);
    await fixture.index();
    fixture.remove('a/1.txt');
    fixture.remove('b/1.txt');
    fixture.remove('ab/1.txt');
    const { summary } = await fixture.index({ source: fixture.source({ paths: ['a'] }) });
    assert.equal(summary.deleted, 1);
    assert.deepEqual(
      (await fixture.documents()).map(({ source }) => source),
      ['a/2.txt', 'a/3.txt', 'ab/1.txt', 'b/1.txt'],
    );
  });

  it('keeps what lies below a place that could not be listed', async () => {
    for (const path of ['a/1.txt', 'a/b/2.txt', 'c.txt', 'd.txt']) fixture.write(path, path);
    await fixture.index();
    const source = fixture.source();
    const broken = {
      ...source,
      async *list() {
        for await (const entry of source.list())
          if (!entry.path.startsWith('a/') && entry.path !== 'd.txt') yield entry;
        yield { path: 'a', omitted: 'unreadable', reason: 'No permission to read this folder.' } as const;
      },
    };
    const { summary, events } = await fixture.index({ source: broken });
    assert.equal(summary.deleted, 1);
    assert.equal(summary.failed, 1);
    assert.deepEqual(
      events.map(({ source: path, status }) => [path, status]),
      [
        ['a', 'failed'],
        ['d.txt', 'deleted'],
      ],
    );
    assert.equal((await fixture.documents()).length, 3);
  });

  it('changes nothing when the listing fails', async () => {
    writeMany(3);
    await fixture.index();
    const before = await fixture.content();
    fixture.write('new.txt', 'new');
    const source = fixture.source();
    const broken = {
      ...source,
      async *list() {
        for await (const entry of source.list()) {
          yield entry;
          throw new AquiferError('source-unreadable', 'The disk is gone.');
        }
      },
    };
    await assert.rejects(fixture.index({ source: broken }), hasCode('source-unreadable'));
    assert.deepEqual(await fixture.content(), before);
  });
});

describe('files that cannot be indexed', () => {
  it('fails one, says why, and tries it again', async () => {
    fixture.write('bad.txt', 'DAMAGED');
    fixture.write('good.txt', 'good');
    const { summary, events } = await fixture.index();
    assert.equal(summary.failed, 1);
    assert.equal(summary.new, 1);
    assert.equal(events.find(({ status }) => status === 'failed')?.reason, 'bad.txt is damaged.');
    const record = await fixture.document('bad.txt');
    assert.equal(record.status, 'failed');
    assert.equal(record.statusReason, 'bad.txt is damaged.');
    assert.equal(record.chunkCount, 0);
    await fixture.index();
    assert.equal(fixture.counts.extracted, 1, 'tried again, though it did not change');
    fixture.write('bad.txt', 'mended');
    await fixture.index();
    assert.equal((await fixture.document('bad.txt')).id, record.id);
    assert.equal((await fixture.document('bad.txt')).status, 'indexed');
  });

  it('takes a damaged new version for what it is', async () => {
    fixture.write('a.txt', 'good');
    await fixture.index();
    fixture.write('a.txt', 'DAMAGED');
    await fixture.index();
    assert.equal((await fixture.document('a.txt')).status, 'failed');
    assert.deepEqual((await fixture.store.searchKeyword({ text: 'good', limit: 5 })).matches, []);
  });

  it('keeps the old version of a file that cannot be read', async () => {
    fixture.write('a.txt', 'good');
    await fixture.index();
    fixture.write('a.txt', 'better');
    fixture.write('b.txt', 'new');
    const refuse = async () => {
      throw new AquiferError('source-unreadable', 'No permission.');
    };
    const source = wrapSource(fixture.source(), (item): SourceItem => ({ ...item, read: refuse }));
    const { summary } = await fixture.index({ source });
    assert.equal(summary.failed, 2);
    assert.equal((await fixture.document('a.txt')).status, 'indexed');
    assert.equal((await fixture.store.searchKeyword({ text: 'good', limit: 5 })).matches.length, 1);
    const failed = await fixture.document('b.txt');
    assert.equal(failed.status, 'failed');
    assert.equal(failed.contentHash, '');
    await fixture.index();
    assert.equal((await fixture.store.searchKeyword({ text: 'better', limit: 5 })).matches.length, 1);
    assert.equal((await fixture.document('b.txt')).id, failed.id);
  });

  it('survives files that vanish between listing and reading', async () => {
    writeMany(10);
    const source = wrapSource(fixture.source(), (item) => {
      if (item.path < 'file-5') rmSync(join(fixture.files, item.path));
      return item;
    });
    const { summary, events } = await fixture.index({ source });
    assert.equal(summary.failed, 5);
    assert.equal(summary.new, 5);
    assert.match(events.find(({ status }) => status === 'failed')?.reason ?? '', /was deleted or renamed/);
    assert.equal((await fixture.documents()).length, 5);
    assert.equal((await fixture.index()).summary.unchanged, 5);
  });

  it('ignores a file without text, and says of scans what they are', async () => {
    fixture.write('empty.txt', '');
    fixture.write('blank.txt', ' \n\n ');
    fixture.write('scans.txt', 'SCANS');
    fixture.write('half.txt', 'text SCANS');
    const { summary } = await fixture.index();
    assert.equal(summary.ignored, 2);
    assert.equal(summary.failed, 1);
    assert.equal(summary.new, 1);
    const statuses = (await fixture.documents()).map(({ source, status, statusReason }) => [
      source,
      status,
      statusReason,
    ]);
    assert.deepEqual(statuses, [
      ['blank.txt', 'ignored', 'The file holds no text.'],
      ['empty.txt', 'ignored', 'The file holds no text.'],
      ['half.txt', 'partially-indexed', '1 of 2 pages is a scan'],
      ['scans.txt', 'failed', '1 of 2 pages is a scan'],
    ]);
    assert.equal((await fixture.index()).summary.unchanged, 3);
  });

  it('fails a document with a text that is too large for the embedder, and no other', async () => {
    writeMany(10);
    fixture.write('large.txt', 'fine\nTOO LARGE');
    const { summary } = await fixture.index();
    assert.equal(summary.failed, 1);
    assert.equal(summary.new, 10);
    assert.equal((await fixture.document('large.txt')).statusReason, 'A text is too large for the model.');
  });

  it('says of a document that some of its texts were embedded in parts', async () => {
    fixture.write('long.txt', 'fine\nIN PARTS\nfine too');
    fixture.write('short.txt', 'fine as well');
    const { summary, events } = await fixture.index();
    assert.deepEqual([summary.failed, summary.new], [0, 2]);
    const { status, statusReason = '' } = await fixture.document('long.txt');
    assert.equal(status, 'indexed');
    assert.match(statusReason, /1 of 3 chunks in parts.*--chunk-tokens/);
    assert.equal(events.find(({ source }) => source === 'long.txt')?.reason, statusReason);
    assert.equal((await fixture.document('short.txt')).statusReason, undefined);
    assert.equal((await fixture.index()).summary.unchanged, 2);
  });

  it('fails a document whose attributes no database can hold', async () => {
    fixture.write('a.txt', 'text');
    fixture.write('a.txt.metadata.json', '{"metadataAttributes":{"half":"\\ud800"}}');
    fixture.write('b.txt', 'text');
    const { summary } = await fixture.index();
    assert.equal(summary.failed, 1);
    assert.equal(summary.new, 1);
    assert.match((await fixture.document('a.txt')).statusReason ?? '', /half/);
  });

  it('stops at an embedder that does not work, and goes on from there the next time', async () => {
    writeMany(20);
    await fixture.index();
    writeMany(20, 'more');
    fixture.write('zzz.txt', 'NO MODEL');
    await assert.rejects(fixture.index({ documentConcurrency: 4 }), hasCode('model-not-found'));
    const committed = await fixture.documents();
    assert.ok(committed.every(({ status }) => status === 'indexed'));
    assert.ok(committed.length > 20, 'what was done before stays');
    fixture.write('zzz.txt', 'a model');
    const { summary } = await fixture.index();
    assert.equal(summary.failed, 0);
    assert.equal(summary.unchanged, committed.length);
    assert.equal((await fixture.documents()).length, 41);
  });
});

describe('cancelled runs', () => {
  it('rejects with aborted before it begins', async () => {
    writeMany(3);
    await assert.rejects(fixture.index({ signal: AbortSignal.abort() }), hasCode('aborted'));
    assert.deepEqual(await fixture.documents(), []);
  });

  it('leaves whole documents, writes nothing afterwards, and can be continued', async () => {
    writeMany(60);
    const controller = new AbortController();
    let done = 0;
    const onEvent = () => {
      done += 1;
      if (done === 10) controller.abort();
    };
    const run = fixture.index({ signal: controller.signal, onEvent, documentConcurrency: 4 });
    await assert.rejects(run, hasCode('aborted'));
    const committed = await fixture.documents();
    assert.ok(committed.length >= 10 && committed.length < 60, `${committed.length} committed`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(await fixture.documents(), committed);
    const { summary } = await fixture.index();
    assert.equal(summary.unchanged, committed.length);
    assert.equal(summary.new, 60 - committed.length);
  });

  it('has told what was embedded until then, and what the cache had; a whole run tells what its summary says', async () => {
    const sum = (told: readonly { tokens: number; embedded: number; cacheHits: number }[]) => ({
      tokens: told.reduce((total, { tokens }) => total + tokens, 0),
      embedded: told.reduce((total, { embedded }) => total + embedded, 0),
      cacheHits: told.reduce((total, { cacheHits }) => total + cacheHits, 0),
    });
    writeMany(60);
    const controller = new AbortController();
    const first: Parameters<NonNullable<IngestionRunOptions['onEmbedded']>>[0][] = [];
    const run = fixture.index({
      signal: controller.signal,
      documentConcurrency: 4,
      onEvent: () => controller.abort(),
      onEmbedded: (usage) => first.push(usage),
    });
    await assert.rejects(run, hasCode('aborted'));
    assert.ok(sum(first).tokens > 0);
    assert.equal(sum(first).embedded, fixture.counts.embedded.length);
    fixture.write('copies.txt', 'same\nsame\nsame');
    const rest: typeof first = [];
    const { summary } = await fixture.index({ onEmbedded: (usage) => rest.push(usage) });
    const { tokens, embedded, cacheHits } = summary;
    assert.deepEqual(sum(rest), { tokens, embedded, cacheHits });
    assert.ok(cacheHits >= 2 && embedded > 0);
  });

  it('deletes nothing when it is cancelled', async () => {
    writeMany(10);
    await fixture.index();
    fixture.remove('file-0.txt');
    fixture.write('new.txt', 'new');
    const controller = new AbortController();
    const run = fixture.index({ signal: controller.signal, onEvent: () => controller.abort() });
    await assert.rejects(run, hasCode('aborted'));
    assert.equal((await fixture.document('file-0.txt')).status, 'indexed');
  });

  it('has an ingestor do one run after the other', async () => {
    writeMany(20);
    const runs = await fixture.indexTwiceAtOnce();
    assert.deepEqual(
      runs.map((summary) => [summary.new, summary.unchanged]),
      [
        [20, 0],
        [0, 20],
      ],
    );
  });

  it('passes on what a listener throws', async () => {
    writeMany(3);
    const onEvent = () => {
      throw new Error('the terminal is gone');
    };
    await assert.rejects(fixture.index({ onEvent }), /the terminal is gone/);
    assert.ok((await fixture.documents()).length > 0);
  });
});

describe('one index, one writer', () => {
  it('refuses a second run at once', async () => {
    await assert.rejects(
      openLocalStore({ location: fixture.location, analyser: createAnalyser() }),
      hasCode('index-locked'),
    );
  });
});

describe('documents of a program', () => {
  it('indexes, updates and deletes them beside those of a folder', async () => {
    fixture.write('a.txt', 'file');
    await fixture.index();
    const faq = (texts: Readonly<Record<string, string>>) =>
      createMemorySource({ id: 'faq', documents: Object.entries(texts).map(([path, text]) => ({ path, text })) });
    await fixture.index({ source: faq({ 'a.txt': 'one', b: 'two' }) });
    const { summary } = await fixture.index({ source: faq({ 'a.txt': 'one', c: 'three' }) });
    assert.equal(summary.unchanged, 1);
    assert.equal(summary.new, 1);
    assert.equal(summary.deleted, 1);
    const records = await fixture.documents();
    assert.deepEqual(
      records.map(({ source, sourceId }) => `${sourceId === 'faq' ? 'faq' : 'files'}/${source}`).sort(),
      ['faq/a.txt', 'faq/c', 'files/a.txt'],
    );
  });
});
