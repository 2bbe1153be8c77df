import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { isAquiferError } from '@aquifer/contracts';
import { openLocalStore } from '@aquifer/local-store';
import { createAnalyser } from '@aquifer/text-analysis';
import { startTestDatabase } from '../../../postgres-store/dist/postgres.test-fixture.js';
import type { KnowledgeBase } from '../knowledge-base.js';
import { openKnowledgeBase } from '../open-knowledge-base.js';
import { exportKnowledgeBase } from './export-knowledge-base.js';
import { importKnowledgeBase } from './import-knowledge-base.js';

const handbook = fileURLToPath(new URL('../../../../examples/handbook', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'aquifer-moving-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;
const place = (name: string) => join(folder, `${name}-${made++}`);

const database = await startTestDatabase();
after(() => database.stop());

const questions = [
  'parental leave in Japan',
  '育児休業は何週間ですか',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'expense report',
];

/** Everything of a search but what it took. */
const searches = async (knowledgeBase: KnowledgeBase) => {
  const found = [];
  for (const question of questions) {
    const { matches, plan } = await knowledgeBase.search(question, { limit: 5 });
    found.push({ question, plan, matches });
  }
  return found;
};

/** Cosines of pgvector agree to six digits: see docs/postgres.md. */
const rounded = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'number' && !Number.isInteger(each) ? Math.round(each * 1e4) / 1e4 : each,
    ),
  );

async function withKnowledgeBase<Result>(
  location: string,
  use: (knowledgeBase: KnowledgeBase) => Promise<Result>,
  options: { readonly mode?: 'read' | 'write'; readonly encryptionKey?: string } = {},
): Promise<Result> {
  const knowledgeBase = await openKnowledgeBase({ location, ...options });
  try {
    return await use(knowledgeBase);
  } finally {
    await knowledgeBase.close();
  }
}

describe('moving a knowledge base', () => {
  const name = `moved ${process.pid}`;
  const source = place('handbook');
  const file = join(folder, 'handbook.aquifer');
  before(async () => {
    const knowledgeBase = await openKnowledgeBase({ location: source, name });
    await knowledgeBase.index(handbook);
    await knowledgeBase.close();
    await exportKnowledgeBase({ location: source }, file);
  });

  it('gives the same searches and the same export from PostgreSQL, and from a folder again', async () => {
    const exported = await exportKnowledgeBase({ location: source }, file);
    assert.ok(exported.documents >= 20 && exported.embeddings >= exported.chunks / 2);
    const expected = await withKnowledgeBase(source, searches);

    const shared = database.location({ name });
    const imported = await importKnowledgeBase({ location: shared }, file);
    assert.deepEqual([imported.sha256, imported.chunks], [exported.sha256, exported.chunks]);
    assert.deepEqual(rounded(await withKnowledgeBase(shared, searches)), rounded(expected));
    const second = join(folder, 'from-postgres.aquifer');
    assert.equal((await exportKnowledgeBase({ location: shared }, second)).sha256, exported.sha256);

    const back = place('back');
    await importKnowledgeBase({ location: back }, second);
    assert.deepEqual(await withKnowledgeBase(back, searches), expected);
    assert.equal((await exportKnowledgeBase({ location: back }, join(folder, 'back.aquifer'))).sha256, exported.sha256);
    assert.equal(gunzipSync(readFileSync(file)).compare(gunzipSync(readFileSync(second))), 0);

    for (const location of [shared, back]) {
      const {
        unchanged,
        new: added,
        modified,
        embedded,
        knowledgeBase,
      } = await withKnowledgeBase(location, (each) => each.index(handbook));
      assert.deepEqual([unchanged, added, modified, embedded], [exported.documents, 0, 0, 0]);
      assert.deepEqual([knowledgeBase.id, knowledgeBase.name], [exported.knowledgeBase.id, name]);
    }
  });

  it('takes failed documents, attachments, metadata, globs and the embedding cache along', async () => {
    const files = place('files');
    mkdirSync(files);
    writeFileSync(join(files, 'gone.md'), '# Gone\n\nThis page was deleted before the export.');
    writeFileSync(join(files, 'bad.pdf'), 'not a PDF at all');
    writeFileSync(join(files, 'log.txt'), 'left out');
    writeFileSync(join(files, 'kept.md'), '# Kept\n\nThis page stays.');
    writeFileSync(join(files, 'kept.md.metadata.json'), '{"metadataAttributes":{"country":"JP","year":2025}}');
    writeFileSync(
      join(files, 'mail.eml'),
      'Subject: Letter\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\n' +
        'The letter itself.\n--x\nContent-Type: text/plain; name=inside.txt\nContent-Disposition: attachment; filename=inside.txt\n\n' +
        'What came inside of the letter.\n--x--\n',
    );
    const from = place('from');
    const gone = readFileSync(join(files, 'gone.md'));
    const before = await withKnowledgeBase(from, async (knowledgeBase) => {
      await knowledgeBase.index(files, { exclude: ['log.txt'] });
      rmSync(join(files, 'gone.md'));
      await knowledgeBase.index(files);
      return { documents: await knowledgeBase.documents(), status: await knowledgeBase.status() };
    });
    assert.ok(before.documents.some(({ parentId }) => parentId !== undefined));
    assert.equal(before.status.failures.length, 1);
    const exported = join(folder, 'files.aquifer');
    await exportKnowledgeBase({ location: from }, exported);

    for (const to of [place('to'), database.location()]) {
      await importKnowledgeBase({ location: to }, exported);
      await withKnowledgeBase(to, async (knowledgeBase) => {
        assert.deepEqual(await knowledgeBase.documents(), before.documents);
        const status = await knowledgeBase.status();
        assert.deepEqual(status.failures, before.status.failures);
        assert.deepEqual(status.lastRun, before.status.lastRun);
        const filter = { equals: { key: 'country', value: 'JP' } };
        assert.equal((await knowledgeBase.search('page', { filter })).matches[0]?.source, 'kept.md');
        writeFileSync(join(files, 'gone.md'), gone);
        const summary = await knowledgeBase.index(files);
        assert.deepEqual([summary.new, summary.embedded, summary.cacheHits, summary.excluded], [1, 0, 1, 1]);
        rmSync(join(files, 'gone.md'));
      });
    }
  });

  it('refuses what is no export, breaks off or was altered, and makes nothing of it', async () => {
    const whole = readFileSync(file);
    const lines = gunzipSync(whole).toString().trimEnd().split('\n');
    const altered = (change: (lines: string[]) => void) => {
      const copy = [...lines];
      change(copy);
      return gzipSync(`${copy.join('\n')}\n`);
    };
    const flipped = Buffer.from(whole);
    flipped[whole.length >> 1] = (flipped[whole.length >> 1] ?? 0) ^ 0x10;
    const cases: readonly (readonly [string, Buffer])[] = [
      ['empty', Buffer.alloc(0)],
      ['text', Buffer.from('{"format":"aquifer-export"}\n')],
      ['other gzip', gzipSync('{"some":"json"}\n{"type":"end","sha256":""}\n')],
      ['cut in half', whole.subarray(0, whole.length >> 1)],
      ['cut at the end', whole.subarray(0, whole.length - 1)],
      ['a flipped bit', flipped],
      ['a line less', altered((copy) => copy.splice(3, 1))],
      ['another text', altered((copy) => copy.splice(-2, 1, String(copy.at(-2)).replace('e', 'E')))],
      ['lines swapped', altered((copy) => copy.splice(1, 2, String(copy[2]), String(copy[1])))],
      ['a line more', altered((copy) => copy.push(String(copy[1])))],
      ['no end', altered((copy) => copy.pop())],
    ];
    for (const [what, bytes] of cases) {
      const path = join(folder, 'altered.aquifer');
      writeFileSync(path, bytes);
      const to = place('refused');
      await assert.rejects(
        importKnowledgeBase({ location: to }, path),
        (error) => isAquiferError(error, 'invalid-export'),
        what,
      );
      assert.ok(!existsSync(to), what);
    }
    const newer = join(folder, 'newer.aquifer');
    const header = JSON.parse(String(lines[0]));
    writeFileSync(
      newer,
      altered((copy) => copy.splice(0, 1, JSON.stringify({ ...header, version: 2 }))),
    );
    const tooNew = (error: unknown) => isAquiferError(error, 'index-too-new');
    await assert.rejects(importKnowledgeBase({ location: place('newer') }, newer), tooNew);
    const missing = (error: unknown) => isAquiferError(error, 'source-not-found');
    await assert.rejects(importKnowledgeBase({ location: place('none') }, join(folder, 'none')), missing);
  });

  it('replaces no knowledge base, in a folder or a database', async () => {
    const shared = database.location();
    await withKnowledgeBase(shared, async () => {});
    for (const location of [source, shared]) {
      await assert.rejects(importKnowledgeBase({ location }, file), (error) => {
        return isAquiferError(error, 'invalid-options') && /another --kb/.test(error.message);
      });
    }
  });

  it('goes on with an import that was interrupted, and shows nothing of it before it is complete', async () => {
    const { sha256, documents } = await exportKnowledgeBase({ location: source }, join(folder, 'again.aquifer'));
    for (const location of [place('interrupted'), database.location({ name, tenant: 'another' })]) {
      for (const phase of ['vectors', 'documents', 'indexing'] as const) {
        const stop = new AbortController();
        const moving = importKnowledgeBase({ location, name }, file, {
          signal: stop.signal,
          onProgress: (progress) => progress.phase === phase && stop.abort(),
        });
        // A small index has nothing to show of its last phase.
        if (
          (await moving.then(
            () => 'done',
            (error) => error.code,
          )) === 'done'
        )
          break;
        const unfinished = (error: unknown) => isAquiferError(error, 'index-not-found') && /import/.test(error.message);
        for (const mode of ['read', 'write'] as const) {
          await assert.rejects(openKnowledgeBase({ location, mode }), unfinished);
        }
      }
      const done = await importKnowledgeBase({ location, name }, file).catch((error) => error.code);
      if (done !== 'invalid-options') assert.equal(done.documents, documents);
      const again = await exportKnowledgeBase({ location }, join(folder, 'interrupted.aquifer'));
      assert.equal(again.sha256, sha256);
    }
  });

  it('takes the place of another import that was interrupted', async () => {
    const to = place('taken');
    const stop = new AbortController();
    const first = importKnowledgeBase({ location: to }, file, {
      signal: stop.signal,
      onProgress: ({ phase, done }) => phase === 'documents' && done > 0 && stop.abort(),
    });
    await assert.rejects(first, (error) => isAquiferError(error, 'aborted'));
    const small = place('small');
    const files = place('small-files');
    cpSync(join(handbook, 'people'), files, { recursive: true });
    await withKnowledgeBase(small, (knowledgeBase) => knowledgeBase.index(files));
    const other = join(folder, 'small.aquifer');
    const { documents } = await exportKnowledgeBase({ location: small }, other);
    await importKnowledgeBase({ location: to }, other);
    assert.equal((await withKnowledgeBase(to, (knowledgeBase) => knowledgeBase.documents())).length, documents);
  });

  it('leaves the file that was there when an export is stopped, and no other', async () => {
    const kept = join(folder, 'kept.aquifer');
    writeFileSync(kept, 'an earlier export');
    const stop = new AbortController();
    const exporting = exportKnowledgeBase({ location: source }, kept, {
      signal: stop.signal,
      onProgress: ({ phase }) => phase === 'documents' && stop.abort(),
    });
    await assert.rejects(exporting, (error) => isAquiferError(error, 'aborted'));
    assert.equal(readFileSync(kept, 'utf8'), 'an earlier export');
    assert.ok(!existsSync(`${kept}.part`));
    const nowhere = (error: unknown) => isAquiferError(error, 'invalid-options');
    await assert.rejects(exportKnowledgeBase({ location: source }, join(folder, 'no', 'such', 'folder')), nowhere);
  });

  it('refuses an export that somebody wrote into', async () => {
    const writer = await openLocalStore({ location: source, analyser: createAnalyser() });
    let written: Promise<void> | undefined;
    const exporting = exportKnowledgeBase({ location: source }, join(folder, 'torn.aquifer'), {
      onProgress: () => {
        written ??= writer.writeValue('note', 'written meanwhile');
      },
    });
    await assert.rejects(exporting, (error) => isAquiferError(error, 'index-locked') && error.retryable);
    await written;
    await writer.close();
    assert.ok(!existsSync(join(folder, 'torn.aquifer')));
  });

  it('writes plain files that only their owner can read, of encrypted indexes too', async (context) => {
    const encryptionKey = 'a key for this test';
    const secret = place('secret');
    try {
      await importKnowledgeBase({ location: secret, encryptionKey }, file);
    } catch (error) {
      if (isAquiferError(error, 'encryption-unavailable')) return context.skip('the SQLite addon is not built');
      throw error;
    }
    await assert.rejects(exportKnowledgeBase({ location: secret }, join(folder, 'no-key.aquifer')), (error) =>
      isAquiferError(error, 'encryption-key-refused'),
    );
    const plain = join(folder, 'plain.aquifer');
    const { sha256 } = await exportKnowledgeBase({ location: secret, encryptionKey }, plain);
    const first = await exportKnowledgeBase({ location: source }, join(folder, 'first.aquifer'));
    assert.equal(sha256, first.sha256);
    if (process.platform !== 'win32') assert.equal(statSync(plain).mode & 0o777, 0o600);
  });
});
