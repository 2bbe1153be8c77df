import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { describe, it } from 'node:test';
import type { Generator } from 'aquifer';
import { startNative } from '../testing/native-fixture.js';

const question = 'How long is parental leave in Japan?';
const documents = [{ name: 'leave.md', text: '# Leave\n\nParental leave in Japan is 52 weeks.' }];

describe('a streamed answer', () => {
  it('begins when the search is done, before the model says anything', async () => {
    const allowed = new EventEmitter();
    const mayAnswer = once(allowed, 'answer');
    const model: Generator = {
      id: 'slow',
      description: 'says nothing until it may',
      contextTokens: 8_000,
      async *generate() {
        await mayAnswer;
        yield { type: 'text', text: '52 weeks.' };
        yield { type: 'stop', reason: 'end', usage: { inputTokens: 1, outputTokens: 1 } };
      },
    };
    const native = await startNative({ index: { model } });
    try {
      await native.post('/v1/knowledge-bases', { name: 'default' });
      await native.finished(await native.post('/v1/knowledge-bases/default/documents', { documents }));
      // The model waits, so that these would never end if they waited for it.
      const signal = AbortSignal.timeout(20_000);
      const response = await fetch(`${native.endpoint}/v1/knowledge-bases/default/ask`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ question }),
        signal,
      });
      assert.equal(response.status, 200);
      const body = response.body?.pipeThrough(new TextDecoderStream());
      assert.ok(body);
      const pieces = body[Symbol.asyncIterator]();
      let received = '';
      // A search that takes longer than a moment has a comment before it.
      while (!/^event: /m.test(received)) received += (await pieces.next()).value ?? assert.fail('The answer ended.');
      assert.match(received, /^(: .*\n\n)?event: search\ndata: .*\n\n$/);
      allowed.emit('answer');
      for (let piece = await pieces.next(); !piece.done; piece = await pieces.next()) received += piece.value;
      assert.match(received, /event: text\ndata: .*52 weeks[\s\S]*event: answer\n/);
    } finally {
      allowed.emit('answer');
      await native.close();
    }
  });

  it('has a status of its own where the question is refused, however many are asked at once', async () => {
    const native = await startNative();
    try {
      await native.post('/v1/knowledge-bases', { name: 'default' });
      await native.finished(await native.post('/v1/knowledge-bases/default/documents', { documents }));
      const ask = async (text: string) => {
        const response = await fetch(`${native.endpoint}/v1/knowledge-bases/default/ask`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
          body: JSON.stringify({ question: text }),
        });
        return { status: response.status, text: await response.text() };
      };
      await ask(question);
      const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => ask(n % 2 === 0 ? question : '  ')));
      for (const [n, { status, text }] of answers.entries()) {
        assert.equal(status, n % 2 === 0 ? 200 : 400, text);
        assert.match(text, n % 2 === 0 ? /event: answer\n/ : /invalid-query/);
      }
    } finally {
      await native.close();
    }
  });
});
