import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openLocalStore } from '@aquifer/local-store';
import { createAnalyser } from '@aquifer/text-analysis';
import { createIngestionFixture } from './testing/ingestion-fixture.js';

const files = 60;
const chunksPerFile = 4;
/** Beyond these, no text may be embedded twice: batches under way when the process was killed. */
const embedBatchSize = 8;
const embedConcurrency = 2;

/** What the child process does: one run, a line a document, the embedded texts in a file. */
async function runInChild(folder: string): Promise<void> {
  const onEmbedded = (texts: readonly string[]) =>
    appendFileSync(join(folder, 'embedded'), texts.map((text) => `${JSON.stringify(text)}\n`).join(''));
  const fixture = await createIngestionFixture({ folder, msPerText: 3, onEmbedded });
  await fixture.index({
    embedBatchSize,
    embedConcurrency,
    onEvent: ({ source }) => process.stdout.write(`${source}\n`),
  });
  await fixture.close();
}

/** Starts a child and kills it after so many documents; resolves with the signal that ended it, if any. */
function startChild(folder: string, killAfter: number): Promise<NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'child', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let documents = 0;
    child.stdout.on('data', (data: Buffer) => {
      documents += data.toString().split('\n').length - 1;
      if (documents >= killAfter) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code !== 0 && signal === null) reject(new Error(`The child ended with ${code}.`));
      else resolve(signal);
    });
  });
}

if (process.argv[2] === 'child') await runInChild(process.argv[3] as string);
else {
  describe('a run that is killed', () => {
    let folder: string;
    before(() => {
      folder = realpathSync(mkdtempSync(join(tmpdir(), 'aquifer-killed-')));
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    const content = async () => {
      const fixture = await createIngestionFixture({ folder });
      try {
        return await fixture.content();
      } finally {
        await fixture.close();
      }
    };

    it('leaves whole documents, and the next run ends where an undisturbed one does', async (context) => {
      if (process.platform === 'win32') return context.skip('there is no SIGKILL on Windows');
      const writer = await createIngestionFixture({ folder });
      for (let file = 0; file < files; file += 1) {
        const lines = Array.from({ length: chunksPerFile }, (_, line) => `file ${file} line ${line}`);
        writer.write(`file-${file}.txt`, lines.join('\n'));
      }
      await writer.close();

      const kills = [1, 7, 15];
      for (const killAfter of kills) {
        assert.equal(await startChild(folder, killAfter), 'SIGKILL');
        const store = await openLocalStore({
          location: join(folder, 'index'),
          mode: 'read',
          analyser: createAnalyser(),
        });
        for (const { id, status, chunkCount } of await store.listDocuments()) {
          assert.equal(status, 'indexed');
          assert.equal(chunkCount, chunksPerFile);
          assert.equal((await store.listChunks(id)).length, chunksPerFile);
        }
        await store.close();
      }
      assert.equal(await startChild(folder, Number.POSITIVE_INFINITY), null);

      const continued = await content();
      const embedded = readFileSync(join(folder, 'embedded'), 'utf8').trimEnd().split('\n');
      assert.equal(new Set(embedded).size, files * chunksPerFile, 'every text was embedded');
      const twice = embedded.length - files * chunksPerFile;
      assert.ok(twice <= kills.length * embedBatchSize * embedConcurrency, `${twice} texts were embedded twice`);

      rmSync(join(folder, 'index'), { recursive: true });
      assert.equal(await startChild(folder, Number.POSITIVE_INFINITY), null);
      assert.deepEqual(continued, await content());
    });
  });
}
