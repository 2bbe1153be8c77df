import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { createHashedWords } from './hashed-words.js';
import { createHashingThread } from './hashing-thread.js';

const dimensions = 256;
const texts = Array.from(
  { length: 20 },
  (_, number) => `Leave\nEmployee ${number} has ${number * 3} days of leave. 育児休業`,
);

describe('hashing thread', () => {
  it('gives the vectors and terms of this thread, each with a buffer of its own', async () => {
    const thread = createHashingThread(dimensions);
    const hashedWords = createHashedWords(dimensions);
    const [first, second] = await Promise.all([thread.embed(texts), thread.embed(texts.slice(3, 4))]);
    for (const [index, text] of texts.entries()) {
      const { vector, tokens } = hashedWords(text, 'document');
      assert.deepEqual(first?.vectors[index], vector);
      assert.equal(first?.tokens[index], tokens);
    }
    assert.deepEqual(second?.vectors, [first?.vectors[3]]);
    assert.equal(first?.vectors[0]?.buffer.byteLength, dimensions * Float32Array.BYTES_PER_ELEMENT);
    assert.deepEqual(await thread.embed([]), { vectors: [], tokens: [] });
    await thread.close();
  });

  it('says that it has nothing when it is ended, and starts again with the next texts', async () => {
    const thread = createHashingThread(dimensions);
    const pending = thread.embed(texts);
    await thread.close();
    assert.equal(await pending, undefined);
    assert.equal((await thread.embed(texts))?.vectors.length, texts.length);
    await thread.close();
    await thread.close();
  });

  it('does not keep a process alive that has nothing else to do', () => {
    const module = JSON.stringify(new URL('./hashing-thread.js', import.meta.url).href);
    const program = `
      const { createHashingThread } = await import(${module});
      const { vectors } = await createHashingThread(${dimensions}).embed(['Leave']);
      console.log(vectors.length);`;
    const options = { encoding: 'utf8', timeout: 60_000 } as const;
    assert.equal(execFileSync(process.execPath, ['--input-type=module', '-e', program], options), '1\n');
  });
});
