import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { allocateMapped } from './allocate-mapped.js';

describe('mapped memory', () => {
  for (const bytes of [0, 1_000, 3_000_001]) {
    it(`has ${bytes} bytes that are 0, can be read as text, and be handed to a thread`, async () => {
      const buffer = allocateMapped(bytes);
      assert.equal(buffer.length, bytes);
      assert.ok(buffer.every((byte) => byte === 0));
      assert.equal(buffer.write('é'.repeat(bytes), 'latin1'), bytes);
      assert.equal(buffer.toString('latin1'), 'é'.repeat(bytes));
      assert.equal(new TextDecoder('latin1').decode(buffer), 'é'.repeat(bytes));
      const { port1, port2 } = new MessageChannel();
      const received = once(port2, 'message');
      const whole = bytes >= 2 ** 20;
      if (whole) assert.equal(buffer.buffer.byteLength, bytes, 'It is the whole of its memory.');
      port1.postMessage(buffer, whole ? [buffer.buffer] : []);
      const [same] = (await received) as [Uint8Array];
      port1.close();
      assert.equal(Buffer.from(same.buffer, same.byteOffset, same.length).toString('latin1'), 'é'.repeat(bytes));
      if (whole) assert.equal(buffer.length, 0, 'It was not copied.');
    });
  }
});
