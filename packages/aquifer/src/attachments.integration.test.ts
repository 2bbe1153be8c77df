import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { createDocumentReader } from '@aquifer/documents';
import { createFolderSource } from '@aquifer/ingestion';
import { openKnowledgeBase } from './open-knowledge-base.js';
import { createIngestionFixture, type Fixture, type RunFixtureOptions } from './testing/ingestion-fixture.js';

interface Part {
  readonly name?: string;
  readonly type?: string;
  readonly content: string | Uint8Array;
}

/** A message with things attached, as a mail program writes it. */
function mailOf(subject: string, body: string, parts: readonly Part[] = []): string {
  const attached = parts.map(({ name, type = 'text/plain', content }) => {
    const named = name === undefined ? '' : `; filename="${name}"`;
    const encoded = Buffer.from(content).toString('base64').replace(/.{76}/g, '$&\r\n');
    return `--cut\r\nContent-Type: ${type}\r\nContent-Disposition: attachment${named}\r\nContent-Transfer-Encoding: base64\r\n\r\n${encoded}\r\n`;
  });
  return (
    `From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: ${subject}\r\nMIME-Version: 1.0\r\n` +
    `Content-Type: multipart/mixed; boundary="cut"\r\n\r\n--cut\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}\r\n` +
    `${attached.join('')}--cut--\r\n`
  );
}

const garbage = Uint8Array.from({ length: 400 }, (_, index) => (index * 7919) & 0xff);

describe('documents inside of documents', () => {
  const reader = createDocumentReader({ threads: 1 });
  after(() => reader.close());
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await createIngestionFixture();
  });
  afterEach(() => fixture.close());

  const index = (options: RunFixtureOptions = {}) =>
    fixture.index({
      reader,
      source: createFolderSource({
        root: fixture.files,
        recognises: (name) => reader.mediaType(name) !== undefined,
        parseSidecar: (bytes) => JSON.parse(Buffer.from(bytes).toString()).metadataAttributes,
      }),
      ...options,
    });
  const paths = async () => (await fixture.documents()).map(({ source, status }) => `${source}: ${status}`);
  const twoReports = [
    { name: 'report.txt', content: 'The first report says yes.' },
    { name: 'report.txt', content: 'The second report says no.' },
  ];

  it('are documents of their own, named after both, and unchanged when nothing changed', async () => {
    const picture = { name: 'logo.bmp', type: 'image/bmp', content: garbage };
    fixture.write('mail/a.eml', mailOf('Reports', 'See what is attached.', [...twoReports, picture]));
    fixture.write('mail/a.eml.metadata.json', JSON.stringify({ metadataAttributes: { year: 2024 } }));
    const first = await index();
    assert.deepEqual(await paths(), [
      'mail/a.eml: indexed',
      'mail/a.eml/report (2).txt: indexed',
      'mail/a.eml/report.txt: indexed',
    ]);
    assert.deepEqual([first.summary.scanned, first.summary.new, first.summary.skipped], [3, 3, 1]);
    assert.deepEqual(
      first.events.map(({ source, status }) => `${source} ${status}`),
      ['mail/a.eml/report.txt indexed', 'mail/a.eml/report (2).txt indexed', 'mail/a.eml indexed'],
    );
    const mail = await fixture.document('mail/a.eml');
    const report = await fixture.document('mail/a.eml/report.txt');
    assert.equal(mail.title, 'Reports');
    assert.deepEqual([report.parentId, mail.parentId], [mail.id, undefined]);
    assert.equal(report.uri, `${mail.uri}#report.txt`);
    assert.equal(report.metadata.year, 2024);
    assert.match((await fixture.store.getContent(report.id))?.text ?? '', /first report/);

    const before = await fixture.content();
    const again = await index({ maxDeletePercent: 0 });
    assert.deepEqual([again.summary.scanned, again.summary.unchanged, again.events], [3, 3, []]);
    assert.equal(fixture.counts.opened, 0);
    assert.deepEqual(await fixture.content(), before);
  });

  it('follow their document when it changes, moves and goes', async () => {
    fixture.write('a.eml', mailOf('Reports', 'See what is attached.', twoReports));
    fixture.write('b.txt', 'Another file.');
    await index();
    const kept = await fixture.document('a.eml/report.txt');

    fixture.write('a.eml', mailOf('Reports', 'Only one is attached now.', [...twoReports.slice(0, 1)]));
    const changed = await index({ maxDeletePercent: 0 });
    assert.deepEqual([changed.summary.modified, changed.summary.unchanged, changed.summary.deleted], [1, 2, 1]);
    assert.deepEqual(await paths(), ['a.eml: indexed', 'a.eml/report.txt: indexed', 'b.txt: indexed']);
    assert.equal((await fixture.document('a.eml/report.txt')).id, kept.id);
    assert.ok(fixture.counts.embedded.every((text) => !text.includes('first report')));

    const bytes = fixture.read('a.eml');
    fixture.remove('a.eml');
    fixture.write('box/renamed.eml', bytes);
    const moved = await index({ maxDeletePercent: 0 });
    assert.deepEqual([moved.summary.moved, moved.summary.scanned, moved.summary.embedded], [2, 3, 0]);
    const report = await fixture.document('box/renamed.eml/report.txt');
    assert.equal(report.id, kept.id);
    assert.match(report.uri, /box\/renamed\.eml#report\.txt$/);

    fixture.remove('box');
    const gone = await index();
    assert.deepEqual([gone.summary.deleted, gone.summary.scanned], [2, 1]);
    assert.deepEqual(await paths(), ['b.txt: indexed']);
    assert.deepEqual(gone.events.map(({ source }) => source).sort(), ['box/renamed.eml', 'box/renamed.eml/report.txt']);
  });

  it('fail by themselves, and are tried again', async () => {
    const parts = [{ name: 'noise.txt', content: garbage }, ...twoReports];
    fixture.write('a.eml', mailOf('Noise', 'One of these cannot be read.', parts));
    const { summary, events } = await index();
    assert.deepEqual([summary.new, summary.failed], [3, 1]);
    const failure = events.find(({ status }) => status === 'failed');
    assert.equal(failure?.source, 'a.eml/noise.txt');
    assert.match(failure?.reason ?? '', /noise\.txt .*binary data/);
    for (let run = 0; run < 2; run++) {
      const again = await index();
      assert.deepEqual([again.summary.scanned, again.summary.unchanged, again.summary.failed], [4, 3, 1]);
      assert.deepEqual(
        again.events.map(({ source }) => source),
        ['a.eml/noise.txt'],
      );
      assert.equal(again.summary.embedded, 0);
    }
    // A message that cannot be read any more takes what was inside along.
    fixture.write('a.eml', Buffer.from(garbage).toString('latin1'));
    const broken = await index();
    assert.deepEqual([broken.summary.failed, broken.summary.deleted], [1, 3]);
    assert.deepEqual(await paths(), ['a.eml: failed']);
  });

  it('may hold documents themselves, to a limit of depth and number', async () => {
    let inner = mailOf('Level 6', 'The innermost message.');
    for (let level = 5; level >= 1; level--) {
      inner = mailOf(`Level ${level}`, `Message ${level}.`, [
        { type: 'message/rfc822', name: 'fwd.eml', content: inner },
      ]);
    }
    fixture.write('a.eml', inner);
    const many = Array.from({ length: 1_003 }, (_, index) => ({ name: `${index}.txt`, content: `Note ${index}.` }));
    fixture.write('b.eml', mailOf('Many', 'Too many.', many));
    const { summary } = await index();
    const documents = await fixture.documents();
    const deep = documents.filter(({ source }) => source.startsWith('a.eml'));
    assert.deepEqual(
      deep.map(({ source, status }) => `${source} ${status}`),
      [
        'a.eml indexed',
        'a.eml/fwd.eml indexed',
        'a.eml/fwd.eml/fwd.eml indexed',
        'a.eml/fwd.eml/fwd.eml/fwd.eml indexed',
        'a.eml/fwd.eml/fwd.eml/fwd.eml/fwd.eml partially-indexed',
      ],
    );
    assert.match(deep.at(-1)?.statusReason ?? '', /at most 4 messages inside of each other/);
    const wide = documents.filter(({ source }) => source.startsWith('b.eml'));
    assert.equal(wide.length, 1_001);
    assert.match(wide[0]?.statusReason ?? '', /3 of 1003 attachments are left out/);
    assert.equal(summary.scanned, documents.length);
    assert.equal((await index()).summary.unchanged, documents.length);
    // They go as they came: all of them.
    fixture.remove('a.eml');
    assert.equal((await index()).summary.deleted, deep.length);
  });

  it('are all there after a run that was stopped in the middle of them', async () => {
    const parts = Array.from({ length: 5 }, (_, index) => ({ name: `${index}.txt`, content: `Text number ${index}.` }));
    const write = (target: Fixture) => {
      target.write(
        'a.eml',
        mailOf('Parts', 'Five of them.', [...parts, { name: 'f.eml', content: mailOf('F', 'In.', parts) }]),
      );
    };
    write(fixture);
    await index();
    const whole = await paths();
    assert.equal(whole.length, 12);
    for (const stopAt of ['Text number 0', 'Text number 3', 'In.']) {
      const stop = new AbortController();
      const other = await createIngestionFixture({
        onEmbedded: (texts) => texts.some((text) => text.includes(stopAt)) && stop.abort(),
      });
      const kept = fixture;
      fixture = other;
      try {
        write(other);
        await assert.rejects(index({ signal: stop.signal }), { code: 'aborted' });
        assert.ok((await paths()).length < whole.length);
        await index();
        assert.deepEqual(await paths(), whole);
        const { summary } = await index();
        assert.deepEqual([summary.unchanged, summary.scanned], [whole.length, whole.length]);
      } finally {
        fixture = kept;
        await other.close();
      }
    }
  });

  it('are deleted with their message, and come back when they were deleted by themselves', async () => {
    fixture.write('a.eml', mailOf('Reports', 'See what is attached.', twoReports));
    const location = `${fixture.folder}/knowledge`;
    const knowledgeBase = await openKnowledgeBase({ location, embedder: 'builtin:256' });
    try {
      const sources = async () => (await knowledgeBase.documents()).map(({ source }) => source).sort();
      await knowledgeBase.index(fixture.files);
      const all = ['a.eml', 'a.eml/report (2).txt', 'a.eml/report.txt'];
      assert.deepEqual(await sources(), all);
      const { matches } = await knowledgeBase.search('second report');
      assert.equal(matches[0]?.source, 'a.eml/report (2).txt');
      const idOf = async (source: string) =>
        (await knowledgeBase.documents()).find((document) => document.source === source)?.id ?? '';
      assert.equal(await knowledgeBase.delete([await idOf('a.eml/report.txt')]), 1);
      assert.deepEqual(await sources(), all.slice(0, 2));
      assert.equal((await knowledgeBase.index(fixture.files)).new, 1);
      assert.deepEqual(await sources(), all);
      assert.equal(await knowledgeBase.delete([await idOf('a.eml')]), 3);
      assert.deepEqual(await sources(), []);
    } finally {
      await knowledgeBase.close();
    }
  });
});
