import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesInFlight, createByteBudget } from './byte-budget.js';

describe('byte budget', () => {
  it('counts what a file is unpacked to', () => {
    for (const mediaType of ['text/plain', 'application/pdf', 'application/rtf', undefined]) {
      assert.equal(bytesInFlight(10, mediaType), 10, mediaType);
    }
    for (const mediaType of [
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'application/vnd.oasis.opendocument.text-template',
      'application/epub+zip',
    ]) {
      assert.equal(bytesInFlight(10, mediaType), 40, mediaType);
    }
  });

  it('lets in what fits, the rest in order, and one larger piece alone', async () => {
    const budget = createByteBudget(10);
    const entered: string[] = [];
    const enter = (name: string, bytes: number) => budget.take(bytes).then(() => entered.push(name));
    const turn = () => new Promise((resolve) => setImmediate(resolve));

    enter('a', 6);
    enter('b', 4);
    enter('huge', 100);
    enter('c', 1);
    await turn();
    assert.deepEqual(entered, ['a', 'b']);
    budget.give(6);
    await turn();
    assert.deepEqual(entered, ['a', 'b'], 'a small one does not overtake a large one that waits');
    budget.give(4);
    await turn();
    assert.deepEqual(entered, ['a', 'b', 'huge']);
    budget.give(100);
    await turn();
    assert.deepEqual(entered, ['a', 'b', 'huge', 'c']);
  });
});
