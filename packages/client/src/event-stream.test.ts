import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ReceivedEvent, readEvents } from './event-stream.js';

/** The events of a text that comes in pieces of some bytes. */
async function received(text: string, pieceBytes: number): Promise<ReceivedEvent[]> {
  const bytes = new TextEncoder().encode(text);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += pieceBytes) controller.enqueue(bytes.slice(at, at + pieceBytes));
      controller.close();
    },
  });
  const events: ReceivedEvent[] = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

test('events are the same however the bytes are cut, inside of characters and line ends too', async () => {
  const text = 'id: 1\r\nevent: text\r\ndata: {"text":"育児休業 😀"}\r\n\r\n: still here\n\ndata: one\ndata:two\n\n';
  const expected = [
    { id: '1', event: 'text', data: '{"text":"育児休業 😀"}' },
    { id: '1', event: 'message', data: 'one\ntwo' },
  ];
  for (const pieceBytes of [1, 2, 3, 7, 1_000]) assert.deepEqual(await received(text, pieceBytes), expected);
});

test('an event that is not complete when the body ends is none', async () => {
  assert.deepEqual(await received('data: whole\n\ndata: half\n', 4), [
    { id: undefined, event: 'message', data: 'whole' },
  ]);
});

test('leaving the loop cancels the body', async () => {
  let reason: unknown = 'not cancelled';
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('data: more\n\n')),
    cancel: (given) => {
      reason = given;
    },
  });
  for await (const { data } of readEvents(body)) {
    assert.equal(data, 'more');
    break;
  }
  assert.equal(reason, undefined);
});
