import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import type { IngestionEvent } from '@aquifer/ingestion';
import { dryRunIndex } from './dry-run-index.js';
import type { IndexOptions, IndexSummary } from './knowledge-base.js';
import { openKnowledgeBase } from './open-knowledge-base.js';

let folder: string;
let files: string;
let location: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aquifer-dry-run-'));
  [files, location] = [join(folder, 'files'), join(folder, 'index')];
  for (let n = 0; n < 8; n += 1) write(`${n}.md`);
  write('twin.md', '# Twin\n\nThe same.\n');
  write('twin-2.md', '# Twin\n\nThe same.\n');
  write('broken.pdf', '%PDF-1.7\nno');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text = `# Note ${path}\n\nThe text of ${path}, 日本語も少し。\n`): void {
  mkdirSync(dirname(join(files, path)), { recursive: true });
  writeFileSync(join(files, path), text);
}

async function index(options: IndexOptions = {}): Promise<IndexSummary> {
  const knowledgeBase = await openKnowledgeBase({ location });
  try {
    return await knowledgeBase.index(files, options);
  } finally {
    await knowledgeBase.close();
  }
}

/** What a run and its rehearsal must agree in. The built-in embedder counts words; a rehearsal counts the chunker's tokens. */
const counts = ({ ms: _, knowledgeBase: _1, dryRun: _2, tokens: _3, ...rest }: IndexSummary) => rest;

/** The content of every file of the index. */
function indexBytes(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(location).sort()) hash.update(name).update(readFileSync(join(location, name)));
  return hash.digest('hex');
}

describe('dryRunIndex', () => {
  it('foretells the first run, and makes no index', async () => {
    const events: IngestionEvent[] = [];
    const planned = await dryRunIndex({ location }, files, { onEvent: (event) => events.push(event) });
    assert.equal(existsSync(location), false);
    assert.equal(planned.dryRun, true);
    assert.deepEqual([planned.new, planned.failed, planned.embedded, planned.cacheHits], [10, 1, 9, 1]);
    assert.equal(events.length, 11);
    assert.match(events.find(({ source }) => source === 'broken.pdf')?.reason ?? '', /broken\.pdf/);
    assert.deepEqual(counts(planned), counts(await index()));
  });

  it('foretells a later run: new, modified, moved, deleted, from the cache', async () => {
    await index();
    write('0.md', '# Note 0.md\n\nAnother text.\n');
    write('new.md', '# Twin\n\nThe same.\n');
    renameSync(join(files, '1.md'), join(files, 'renamed.md'));
    rmSync(join(files, '2.md'));
    const before = indexBytes();
    const planned = await dryRunIndex({ location }, files);
    assert.equal(indexBytes(), before, 'nothing is written');
    assert.deepEqual(
      [planned.new, planned.modified, planned.moved, planned.deleted, planned.unchanged, planned.failed],
      [1, 1, 1, 1, 7, 1],
    );
    assert.ok(planned.cacheHits > 0 && planned.tokens > 0);
    assert.deepEqual(counts(planned), counts(await index()));
  });

  it('counts what is attached to mail with its message', async () => {
    const part = (type: string, text: string) => `--x\r\nContent-Type: text/plain; ${type}\r\n\r\n${text}\r\n`;
    const parts = `${part('charset=utf-8', 'See attached.')}${part('name="a.txt"\r\nContent-Disposition: attachment; filename="a.txt"', 'Attached text.')}--x--\r\n`;
    const head = 'From: a@example.com\r\nSubject: Notes\r\nMIME-Version: 1.0\r\n';
    write('mail.eml', `${head}Content-Type: multipart/mixed; boundary="x"\r\n\r\n${parts}`);
    const added = await dryRunIndex({ location }, files);
    assert.deepEqual(counts(added), counts(await index()));
    assert.equal(added.new, 12);
    const removed = await dryRunIndex({ location }, files, { exclude: ['*.eml'] });
    assert.equal(removed.deleted, 2);
    assert.deepEqual(counts(removed), counts(await index({ exclude: ['*.eml'] })));
  });

  it('foretells that deletions would be refused', async () => {
    await index();
    const planned = await dryRunIndex({ location }, files, { include: ['0.md'] });
    assert.equal(planned.deleted, 10);
    assert.match(planned.deletionsRefused ?? '', /--max-delete 50/);
    await assert.rejects(index({ include: ['0.md'] }), (error) => isAquiferError(error, 'too-many-deletions'));
    const allowed = await dryRunIndex({ location }, files, { include: ['0.md'], maxDeletePercent: 100 });
    assert.equal(allowed.deletionsRefused, undefined);
  });

  it('works beside a process that is writing, and on a knowledge base opened for reading', async () => {
    await index();
    write('new.md');
    const writer = await openKnowledgeBase({ location });
    try {
      assert.equal((await dryRunIndex({ location }, files)).new, 1);
      const reader = await openKnowledgeBase({ location, mode: 'read' });
      assert.equal((await reader.index(files, { dryRun: true })).new, 1);
      await assert.rejects(reader.index(files), (error) => isAquiferError(error, 'index-read-only'));
      await reader.close();
      assert.equal((await writer.index(files)).new, 1);
    } finally {
      await writer.close();
    }
  });

  it('fails as the run would', async () => {
    await assert.rejects(dryRunIndex({ location }, join(folder, 'none')), (error) =>
      isAquiferError(error, 'source-not-found'),
    );
    await assert.rejects(dryRunIndex({ location, embedder: 'none:such' }, files), (error) =>
      isAquiferError(error, 'model-not-found'),
    );
    await assert.rejects(dryRunIndex({ location }, files, { signal: AbortSignal.abort() }), (error) =>
      isAquiferError(error, 'aborted'),
    );
    assert.equal(existsSync(location), false);
  });
});
