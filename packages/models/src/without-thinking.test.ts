import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GeneratorEvent } from '@aquifer/contracts';
import { withoutThinking } from './without-thinking.js';

const stop: GeneratorEvent = { type: 'stop', reason: 'end', usage: { inputTokens: 1, outputTokens: 1 } };

async function* answer(pieces: readonly string[]): AsyncGenerator<GeneratorEvent> {
  for (const text of pieces) yield { type: 'text', text };
  yield stop;
}

/** What is left of an answer, piece by piece. */
async function left(pieces: readonly string[]): Promise<string[]> {
  const texts: string[] = [];
  let last: GeneratorEvent | undefined;
  for await (const event of withoutThinking(answer(pieces))) {
    if (event.type === 'text') texts.push(event.text);
    last = event;
  }
  assert.deepEqual(last, stop);
  return texts;
}

describe('without thinking', () => {
  it('takes out what comes before the answer, however it is cut', async () => {
    const text = '\n<think>\nPassage [1] says <b>little</b>, [2] more.\n</think>\n\n52 weeks. [2] <think> is a tag.';
    for (const length of [1, 2, 3, 7, 1000]) {
      const pieces = text.match(new RegExp(`[\\s\\S]{1,${length}}`, 'g'))!;
      const texts = await left(pieces);
      assert.equal(texts.join(''), '52 weeks. [2] <think> is a tag.');
      assert.ok(texts.every((piece) => piece !== ''));
    }
  });

  it('lets everything else through as it comes', async () => {
    for (const pieces of [['52', ' weeks'], ['<', 'thin', ' air>'], [' ', '52'], ['<th'], [' '], []]) {
      assert.equal((await left(pieces)).join(''), pieces.join(''));
    }
    assert.deepEqual(await left(['52', ' weeks', ' <think>']), ['52', ' weeks', ' <think>']);
  });

  it('leaves nothing of an answer that is thinking only', async () => {
    assert.deepEqual(await left(['<think>', 'and so on']), []);
    assert.deepEqual(await left(['<think>x</think>', '\n']), []);
  });
});
