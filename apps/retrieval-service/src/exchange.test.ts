import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { describe, it } from 'node:test';
import { createOnePort } from './one-port.js';

describe('an exchange', () => {
  it('gives a body again to who asks after somebody who has read it and declined', async () => {
    const port = createOnePort(async (exchange) => {
      const declined = await exchange.readBody(100);
      const answered = await exchange.readBody(1_000);
      const shorter = await exchange.readBody(3);
      exchange.send(
        200,
        {},
        JSON.stringify([declined?.toString(), answered?.toString(), shorter?.toString() ?? 'none']),
      );
    });
    const { host, port: number } = await port.listen('127.0.0.1', 0);
    const expected = ['question', 'question', 'none'];
    try {
      const answer = await fetch(`http://${host}:${number}/`, { method: 'POST', body: 'question' });
      assert.deepEqual(await answer.json(), expected);
      const waiting = await fetch(`http://${host}:${number}/`, { method: 'POST', body: '' });
      assert.deepEqual(await waiting.json(), ['', '', '']);

      const session = connect(`http://${host}:${number}`);
      const stream = session.request({ ':method': 'POST', ':path': '/' });
      stream.end('question');
      let text = '';
      for await (const piece of stream) text += piece;
      session.close();
      assert.deepEqual(JSON.parse(text), expected);
    } finally {
      await port.close(100);
    }
  });
});
