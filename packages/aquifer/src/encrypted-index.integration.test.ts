import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isAquiferError } from '@aquifer/contracts';
import { createBuiltinEmbedder } from '@aquifer/models';
import { openKnowledgeBase } from './open-knowledge-base.js';
import { reEmbedKnowledgeBase } from './re-embed-knowledge-base.js';

const encryptionKey = 'correct horse battery staple 秘密';
const files = 120;
const fileName = (n: number): string => `quetzalcoatl-${n}.md`;
const sentence = 'Xylophonists of Ouagadougou rehearse 秘密の演奏会 every fortnight.';

// Run as a process of its own, so that it can be killed.
if (process.argv[2] === 'child') {
  const [, , , location = '', folder = '', key] = process.argv;
  const knowledgeBase = await openKnowledgeBase({
    location,
    indexKind: 'hnsw',
    ...(key === undefined ? {} : { encryptionKey: key }),
  }).catch((error: unknown) => {
    process.send?.(isAquiferError(error) ? `${error.code}: ${error.message}` : String(error));
    process.exit(1);
  });
  await knowledgeBase.index(folder, {
    onEvent: () => process.send?.('document'),
  });
  await knowledgeBase.close();
  process.disconnect();
} else {
  describe('an encrypted index', () => {
    let parent: string;
    let folder: string;
    /** What must be in no file, and is in the files of an index that is not encrypted. */
    let secrets: Map<string, Buffer>;
    let isBuilt = true;

    before(async () => {
      parent = mkdtempSync(join(tmpdir(), 'aquifer-encrypted-'));
      folder = join(parent, 'nyctophobic-folder');
      mkdirSync(folder);
      for (let n = 0; n < files; n++) {
        writeFileSync(join(folder, fileName(n)), `# Title-tintinnabulation ${n}\n\n${sentence}\n\nNumber ${n * 7}.\n`);
      }
      const embedder = createBuiltinEmbedder();
      await openKnowledgeBase({ location: join(parent, 'probe'), encryptionKey })
        .then((knowledgeBase) => knowledgeBase.close())
        .catch((error: unknown) => {
          assert.ok(isAquiferError(error, 'encryption-unavailable'), String(error));
          isBuilt = false;
        });
      rmSync(join(parent, 'probe'), { recursive: true, force: true });

      await run('plain').ended;
      const plain = await openKnowledgeBase({ location: join(parent, 'plain'), mode: 'read' });
      const [first] = await plain.documents({ limit: 1 });
      const { chunks } = await plain.document(first?.id ?? '');
      const chunk = chunks[0] as (typeof chunks)[number];
      await plain.close();
      const { vectors } = await embedder.embed([`${chunk.context}\n${chunk.text}`], { purpose: 'document' });
      const vector = vectors[0] as Float32Array;
      secrets = new Map([
        ['a word', Buffer.from('Xylophonists')],
        ['a word in Japanese', Buffer.from('演奏会')],
        ['a term of the keyword index', Buffer.from('ouagadougou')],
        ['a title', Buffer.from('tintinnabulation')],
        ['the name of a file', Buffer.from('quetzalcoatl')],
        ['the name of the folder', Buffer.from('nyctophobic')],
        ['a vector', Buffer.from(vector.buffer, vector.byteOffset + 40, 40)],
      ]);
    });
    after(() => rmSync(parent, { recursive: true, force: true }));

    function run(name: string, key?: string): { child: ChildProcess; ended: Promise<unknown>; documents(): number } {
      const script = fileURLToPath(import.meta.url);
      const child = fork(script, ['child', join(parent, name), folder, ...(key === undefined ? [] : [key])]);
      let documents = 0;
      child.on('message', () => documents++);
      return { child, ended: once(child, 'exit'), documents: () => documents };
    }

    /** Names of what is found in any file below a folder whose name begins so; of a text in UTF-8 and in both UTF-16. */
    function found(beginning: string): Set<string> {
      const names = new Set<string>();
      for (const entry of readdirSync(parent, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (!entry.isFile() || !path.slice(parent.length + 1).startsWith(beginning)) continue;
        let bytes: Buffer;
        try {
          bytes = readFileSync(path);
        } catch {
          // Renamed or deleted meanwhile.
          continue;
        }
        for (const [name, secret] of secrets) {
          const utf16 = Buffer.from(secret.toString(), 'utf16le');
          const isThere = [secret, utf16, Buffer.from(utf16).swap16()].some((form) => bytes.includes(form));
          if (isThere) names.add(`${name} in ${basename(path)}`);
        }
        if (bytes.includes(Buffer.from(encryptionKey)) || bytes.includes(Buffer.from('correct horse'))) {
          names.add(`the key in ${basename(path)}`);
        }
      }
      return names;
    }

    it('would be found out by this test', () => {
      const inPlain = [...found('plain')].join('\n');
      for (const name of secrets.keys()) assert.ok(inPlain.includes(name), `${name} is not in:\n${inPlain}`);
    });

    it('holds no plain text in any file: while it is written, after kill -9, closed and embedded again', async (context) => {
      if (!isBuilt) return context.skip('better-sqlite3-multiple-ciphers is not built here');
      const nothing = new Set<string>();
      for (const killAfter of [1, 40, 90]) {
        const { child, ended, documents } = run('secret', encryptionKey);
        let isOver = false;
        ended.then(() => {
          isOver = true;
        });
        while (!isOver && documents() < killAfter) {
          assert.deepEqual(found('secret'), nothing);
          await sleep(10);
        }
        child.kill('SIGKILL');
        await ended;
        assert.deepEqual(found('secret'), nothing);
      }
      const { ended } = run('secret', encryptionKey);
      await ended;
      assert.deepEqual(found('secret'), nothing);
      const files = readdirSync(join(parent, 'secret')).filter((name) => !/^(index\.sqlite|writer\.lock)$/.test(name));
      assert.deepEqual(files, []);

      const location = join(parent, 'secret');
      let looks = 0;
      await reEmbedKnowledgeBase(
        { location, encryptionKey, embedder: 'builtin:256' },
        {
          onProgress: ({ done }) => {
            if (done % 40 !== 1) return;
            looks++;
            assert.deepEqual(found('secret'), nothing);
          },
        },
      );
      assert.ok(looks > 1);
      assert.deepEqual(found('secret'), nothing);
      const knowledgeBase = await openKnowledgeBase({ location, encryptionKey, mode: 'read' });
      assert.equal((await knowledgeBase.documents()).length, 120);
      assert.equal((await knowledgeBase.search('Ouagadougou', { limit: 3 })).matches.length, 3);
      await knowledgeBase.close();
    });

    it('does not open without its key, and a key that cannot be honoured is refused', async (context) => {
      const refused = (code: string, message: RegExp) => (error: unknown) => {
        assert.ok(isAquiferError(error), String(error));
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      };
      if (!isBuilt) {
        const opening = openKnowledgeBase({ location: join(parent, 'never'), encryptionKey });
        await assert.rejects(opening, refused('encryption-unavailable', /npm rebuild/));
        return context.skip('better-sqlite3-multiple-ciphers is not built here: the rest needs it');
      }
      const location = join(parent, 'keys');
      await (await openKnowledgeBase({ location, encryptionKey })).close();
      for (const mode of ['read', 'write'] as const) {
        await assert.rejects(
          openKnowledgeBase({ location, mode }),
          refused('encryption-key-refused', /no encryption key was given/),
        );
        await assert.rejects(
          openKnowledgeBase({ location, mode, encryptionKey: 'another' }),
          refused('encryption-key-refused', /does not open with this encryption key/),
        );
        await assert.rejects(
          openKnowledgeBase({ location: join(parent, 'plain'), mode, encryptionKey }),
          refused('encryption-key-refused', /is not encrypted/),
        );
      }
    });

    it('refuses every page of which one bit was changed', async (context) => {
      if (!isBuilt) return context.skip('better-sqlite3-multiple-ciphers is not built here');
      const location = join(parent, 'changed');
      const file = join(location, 'index.sqlite');
      await run('changed', encryptionKey).ended;
      const whole = readFileSync(file);
      const pageBytes = 16_384;
      const readAll = async (): Promise<void> => {
        const knowledgeBase = await openKnowledgeBase({ location, encryptionKey, mode: 'read' });
        try {
          for (const { id } of await knowledgeBase.documents()) {
            const { content } = await knowledgeBase.document(id);
            assert.ok(content.text.includes(sentence));
          }
          await knowledgeBase.search('Ouagadougou', { limit: 3 });
        } finally {
          await knowledgeBase.close();
        }
      };
      await readAll();
      let refused = 0;
      for (let page = 0; page < whole.length / pageBytes; page += 9) {
        const bytes = Buffer.from(whole);
        bytes[page * pageBytes + 5_000] = (bytes[page * pageBytes + 5_000] as number) ^ 1;
        writeFileSync(file, bytes);
        await readAll().catch((error: unknown) => {
          assert.ok(isAquiferError(error), String(error));
          assert.ok(['index-corrupt', 'encryption-key-refused'].includes(error.code), error.message);
          refused++;
        });
      }
      assert.ok(refused > 3, `${refused}`);
    });

    it('is refused where the addon is missing, and nothing is written', async () => {
      const preload = join(parent, 'without-addon.cjs');
      writeFileSync(
        preload,
        `const { Module } = require('node:module');
         const resolve = Module._resolveFilename;
         Module._resolveFilename = function (name, ...rest) {
           if (name !== 'better-sqlite3-multiple-ciphers') return resolve.call(this, name, ...rest);
           throw Object.assign(new Error('not here'), { code: 'MODULE_NOT_FOUND' });
         };`,
      );
      const location = join(parent, 'unavailable');
      const child = fork(fileURLToPath(import.meta.url), ['child', location, folder, encryptionKey], {
        execArgv: ['--require', preload],
      });
      const messages: unknown[] = [];
      child.on('message', (message) => messages.push(message));
      const [code] = await once(child, 'exit');
      assert.equal(code, 1);
      assert.match(String(messages[0]), /^encryption-unavailable: .*better-sqlite3-multiple-ciphers.*npm rebuild/);
      assert.equal(existsSync(location), false);
    });
  });
}
