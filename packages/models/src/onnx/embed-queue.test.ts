import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AquiferError, type EmbedPurpose } from '@aquifer/contracts';
import { createEmbedQueue } from './embed-queue.js';

/** A model that gives each text its length, one group at a time, when it is told to. */
function slowModel() {
  const groups: { readonly texts: readonly string[]; readonly purpose: EmbedPurpose; go(error?: Error): void }[] = [];
  const queue = createEmbedQueue(2, (texts, purpose) => {
    return new Promise((resolve, reject) => {
      groups.push({
        texts,
        purpose,
        go: (error) =>
          error === undefined
            ? resolve({
                vectors: Float32Array.from(texts.flatMap((text) => [text.length, 1])),
                tokens: texts.map((text) => text.length),
              })
            : reject(error),
      });
    });
  });
  return { groups, queue };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('embed queue', () => {
  it('splits long lists and puts the vectors together in order', async () => {
    const { groups, queue } = slowModel();
    const texts = Array.from({ length: 150 }, (_, index) => 'x'.repeat(index * 10));
    const embedded = queue.embed(texts, { purpose: 'document' });
    for (let done = 0; done < groups.length; done++) {
      groups[done]!.go();
      await settle();
    }
    const { vectors, tokens } = await embedded;
    assert.deepEqual(
      tokens,
      texts.map((text) => text.length),
    );
    assert.deepEqual(
      vectors.map((vector) => [...vector]),
      texts.map((text) => [text.length, 1]),
    );
    assert.ok(groups.length > 10);
    for (const { texts: group } of groups) assert.ok(group.length === 1 || group.join('').length <= 2000);
  });

  it('lets a question go before the documents that wait', async () => {
    const { groups, queue } = slowModel();
    const documents = queue.embed(
      Array.from({ length: 5 }, () => 'd'.repeat(1900)),
      { purpose: 'document' },
    );
    const question = queue.embed(['q'], { purpose: 'query' });
    for (let done = 0; done < groups.length; done++) {
      groups[done]!.go();
      await settle();
    }
    await Promise.all([documents, question]);
    assert.deepEqual(
      groups.map((group) => group.purpose),
      ['document', 'query', 'document', 'document', 'document', 'document'],
    );
  });

  it('rejects at once when cancelled, sends nothing more of it, and goes on with the others', async () => {
    const { groups, queue } = slowModel();
    const controller = new AbortController();
    const cancelled = queue.embed(['a'.repeat(1900), 'b'.repeat(1900)], {
      purpose: 'document',
      signal: controller.signal,
    });
    const other = queue.embed(['c'], { purpose: 'document' });
    controller.abort();
    await assert.rejects(cancelled, { code: 'aborted' });
    groups[0]!.go();
    await settle();
    groups[1]!.go();
    assert.deepEqual((await other).tokens, [1]);
    assert.deepEqual(
      groups.map((group) => group.texts[0]![0]),
      ['a', 'c'],
    );
    await assert.rejects(queue.embed([], { purpose: 'query', signal: AbortSignal.abort() }), { code: 'aborted' });
  });

  it('fails a job with its first failing group, and no other job', async () => {
    const { groups, queue } = slowModel();
    const failing = queue.embed(['a'.repeat(1900), 'b'.repeat(1900)], { purpose: 'document' });
    const other = queue.embed(['c'], { purpose: 'document' });
    groups[0]!.go(new AquiferError('too-large', 'too large'));
    await assert.rejects(failing, { code: 'too-large' });
    await settle();
    groups[1]!.go();
    assert.deepEqual((await other).tokens, [1]);
    assert.equal(groups.length, 2);
  });
});
