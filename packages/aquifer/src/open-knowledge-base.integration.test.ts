import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ErrorCode, isAquiferError } from '@aquifer/contracts';
import { createMemorySource } from '@aquifer/ingestion';
import { storeAbilities } from '@aquifer/local-store/store-abilities';
import type { KnowledgeBase, KnowledgeBaseOptions } from './knowledge-base.js';
import { openKnowledgeBase } from './open-knowledge-base.js';
import { reEmbedKnowledgeBase } from './re-embed-knowledge-base.js';

const rejectsWith = (promise: Promise<unknown>, code: ErrorCode, message?: RegExp) =>
  assert.rejects(promise, (error) => {
    assert.ok(isAquiferError(error, code), `${code} expected, not ${error}`);
    if (message) assert.match(error.message, message);
    return true;
  });

describe('openKnowledgeBase', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-library-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function withKnowledgeBase<Result>(
    options: Partial<KnowledgeBaseOptions> & { location: string },
    use: (knowledgeBase: KnowledgeBase) => Promise<Result>,
  ): Promise<Result> {
    const knowledgeBase = await openKnowledgeBase({ ...options, location: join(folder, options.location) });
    try {
      return await use(knowledgeBase);
    } finally {
      await knowledgeBase.close();
    }
  }
  const notes = (...texts: string[]) =>
    createMemorySource({ id: 'notes', documents: texts.map((text, n) => ({ path: `${n}.md`, text })) });
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };

  it('gives a knowledge base an id and a name that stay', async () => {
    const first = await withKnowledgeBase({ location: 'identity', name: 'team' }, async ({ id, name }) => ({
      id,
      name,
    }));
    assert.match(first.id, /^[0-9A-Z]{10}$/);
    assert.equal(first.name, 'team');
    assert.deepEqual(
      await withKnowledgeBase({ location: 'identity', mode: 'read' }, async ({ id, name }) => ({ id, name })),
      first,
    );
  });

  it('deletes documents, and with allOrNone none where one is not there', async () => {
    await withKnowledgeBase({ location: 'deletions' }, async (knowledgeBase) => {
      await knowledgeBase.index(notes('one', 'two', 'three'));
      const [first, second] = (await knowledgeBase.documents()).map(({ id }) => id) as [string, string];
      await rejectsWith(
        knowledgeBase.delete([first, 'no-such-id'], { allOrNone: true }),
        'document-not-found',
        /no-such-id/,
      );
      assert.equal((await knowledgeBase.documents()).length, 3);
      assert.equal(await knowledgeBase.delete([first, 'no-such-id']), 1);
      assert.equal(await knowledgeBase.delete([second], { allOrNone: true }), 1);
      assert.equal((await knowledgeBase.documents()).length, 1);
    });
  });

  it('does not make anything when it opens for reading', async () => {
    await rejectsWith(
      withKnowledgeBase({ location: 'absent', mode: 'read' }, async () => 0),
      'index-not-found',
    );
    assert.ok(!readdirSync(folder).includes('absent'));
  });

  it('indexes and finds documents of a program', async () => {
    await withKnowledgeBase({ location: 'memory' }, async (knowledgeBase) => {
      const summary = await knowledgeBase.index(
        notes('# Tea\n\nGreen tea is brewed at 70 degrees.', '# Coffee\n\nStrong.'),
      );
      assert.deepEqual([summary.new, summary.embedder], [2, 'builtin']);
      const { matches } = await knowledgeBase.search('green tea temperature', { limit: 1 });
      assert.equal(matches[0]?.source, '0.md');
      const again = await knowledgeBase.index(notes('# Tea\n\nGreen tea is brewed at 70 degrees.'), {
        maxDeletePercent: 100,
      });
      assert.deepEqual([again.unchanged, again.deleted], [1, 1]);
    });
  });

  it('streams an answer whose citations are slices of the stored text', async () => {
    await withKnowledgeBase({ location: 'memory', mode: 'read' }, async (knowledgeBase) => {
      const kinds: string[] = [];
      for await (const event of knowledgeBase.ask('At how many degrees is green tea brewed?')) {
        kinds.push(event.type);
        if (event.type !== 'answer') continue;
        assert.match(event.answer.answer, /70 degrees/);
        const reference = event.answer.citations[0]?.references[0];
        assert.ok(reference);
        const { content } = await knowledgeBase.document(reference.documentId);
        assert.equal(content.text.slice(reference.start, reference.end), reference.quote);
      }
      assert.deepEqual([kinds[0], kinds.at(-1)], ['search', 'answer']);
    });
  });

  it('makes one document of a file, however it is asked for', async () => {
    write('files/a.md', 'About apples.');
    write('files/inner/b.md', 'About bananas.');
    await withKnowledgeBase({ location: 'roots' }, async (knowledgeBase) => {
      await knowledgeBase.index(join(folder, 'files/inner'));
      await knowledgeBase.index(join(folder, 'files'));
      await knowledgeBase.index([join(folder, 'files/inner/b.md'), join(folder, 'files')]);
      const sources = (await knowledgeBase.documents()).map(({ uri }) => uri.split('/').slice(-1)[0]);
      assert.deepEqual(sources.sort(), ['a.md', 'b.md']);
    });
  });

  it('does not index itself', async () => {
    write('self/a.md', 'Some text.');
    await withKnowledgeBase({ location: 'self/index' }, async (knowledgeBase) => {
      const summary = await knowledgeBase.index(join(folder, 'self'));
      assert.deepEqual([summary.scanned, summary.skipped], [1, 0]);
    });
  });

  it('refuses a path that does not exist, and changes nothing', async () => {
    await withKnowledgeBase({ location: 'roots' }, async (knowledgeBase) => {
      await rejectsWith(
        knowledgeBase.index([join(folder, 'files'), join(folder, 'nowhere')]),
        'source-not-found',
        /nowhere/,
      );
      assert.equal((await knowledgeBase.documents()).length, 2);
      await rejectsWith(knowledgeBase.index([]), 'invalid-options');
    });
  });

  it('stops at once when aborted', async () => {
    await withKnowledgeBase({ location: 'aborted' }, async (knowledgeBase) => {
      await rejectsWith(knowledgeBase.index(notes('text'), { signal: AbortSignal.abort() }), 'aborted');
      await rejectsWith(knowledgeBase.search('text', { signal: AbortSignal.abort() }), 'aborted');
    });
  });

  it('refuses models that there are not', async () => {
    await rejectsWith(
      withKnowledgeBase({ location: 'models', embedder: 'titanic' }, async () => 0),
      'model-not-found',
    );
    await rejectsWith(
      withKnowledgeBase({ location: 'models', embedder: 'onnx:./nowhere' }, async () => 0),
      'model-not-found',
    );
    await withKnowledgeBase({ location: 'memory', mode: 'read', model: 'oracle' }, async (knowledgeBase) => {
      await rejectsWith(knowledgeBase.ask('why?')[Symbol.asyncIterator]().next(), 'model-not-found');
    });
  });

  it('makes the chunks anew when their size is changed, and remembers it', async () => {
    const long = Array.from({ length: 200 }, (_, n) => `Sentence number ${n} says something of its own.`).join(' ');
    const chunks = (options: Partial<KnowledgeBaseOptions>) =>
      withKnowledgeBase({ location: 'sizes', ...options }, async (knowledgeBase) => {
        await knowledgeBase.index(notes(long));
        return (await knowledgeBase.status()).chunks;
      });
    const many = await chunks({ chunkTokens: 128 });
    assert.ok(many > (await chunks({ chunkTokens: 1024 })));
    assert.equal(await chunks({ chunkTokens: 128 }), many);
    assert.equal(await chunks({}), many);
  });

  it('changes to another embedder from the stored text alone', async () => {
    const location = join(folder, 'memory');
    const before = await withKnowledgeBase({ location: 'memory', mode: 'read' }, (knowledgeBase) =>
      knowledgeBase.status(),
    );
    await rejectsWith(openKnowledgeBase({ location, embedder: 'builtin:256' }), 'embedder-mismatch', /--re-embed/);
    await reEmbedKnowledgeBase({ location, embedder: 'builtin:256' });
    await withKnowledgeBase({ location: 'memory' }, async (knowledgeBase) => {
      const status = await knowledgeBase.status();
      assert.deepEqual(status.knowledgeBase, before.knowledgeBase);
      assert.deepEqual(status.documents, before.documents);
      assert.equal(status.embedder.dimensions, 256);
      assert.equal((await knowledgeBase.search('green tea', { mode: 'dense' })).matches[0]?.source, '0.md');
      const summary = await knowledgeBase.index(notes('# Tea\n\nGreen tea is brewed at 70 degrees.'));
      assert.deepEqual([summary.unchanged, summary.embedded], [1, 0]);
    });
    assert.deepEqual(
      readdirSync(folder).filter((name) => /re-embedding|replaced/.test(name)),
      [],
    );
  });

  it('keeps the index when re-embedding is stopped', async () => {
    const location = join(folder, 'memory');
    await rejectsWith(
      reEmbedKnowledgeBase({ location, embedder: 'builtin' }, { signal: AbortSignal.abort() }),
      'aborted',
    );
    const status = await withKnowledgeBase({ location: 'memory', mode: 'read' }, (knowledgeBase) =>
      knowledgeBase.status(),
    );
    assert.equal(status.embedder.dimensions, 256);
  });

  const skip = storeAbilities().encryption ? false : 'encryption is not built here';
  it('encrypts every file when a key is given', { skip }, async () => {
    const secret = 'The vault opens with marmalade.';
    const options = { location: 'secret', encryptionKey: 'correct horse' };
    await withKnowledgeBase(options, (knowledgeBase) => knowledgeBase.index(notes(secret)));
    for (const name of readdirSync(join(folder, 'secret'), { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      const bytes = readFileSync(join(name.parentPath, name.name));
      for (const word of ['marmalade', 'vault']) assert.ok(!bytes.includes(word), name.name);
    }
    await rejectsWith(openKnowledgeBase({ location: join(folder, 'secret') }), 'encryption-key-refused');
    await rejectsWith(
      openKnowledgeBase({ location: join(folder, 'secret'), encryptionKey: 'wrong' }),
      'encryption-key-refused',
    );
    const found = await withKnowledgeBase({ ...options, mode: 'read' }, (knowledgeBase) =>
      knowledgeBase.search('vault'),
    );
    assert.equal(found.matches[0]?.text, secret);
  });
});
