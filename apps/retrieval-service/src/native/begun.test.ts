import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Begun, begun } from './begun.js';
import { eventStream } from './server-sent-events.js';

interface Said {
  readonly type: string;
  readonly data: unknown;
}

async function* saying(afterMs: number, failure?: Error): AsyncGenerator<Said> {
  await wait(afterMs);
  if (failure) throw failure;
  yield { type: 'text', data: 'first' };
  yield { type: 'text', data: 'second' };
}

async function textOf({ events, isAwaited }: Begun<Said>): Promise<string> {
  let text = '';
  for await (const chunk of eventStream(events, (thrown) => (thrown as Error).message, { isAwaited })) text += chunk;
  return text;
}

describe('a stream that is begun', () => {
  it('fails with what its first event fails with', async () => {
    await assert.rejects(begun(saying(0, new Error('No such model'))), /No such model/);
  });

  it('has every event in turn', async () => {
    assert.equal(await textOf(await begun(saying(0))), 'event: text\ndata: "first"\n\nevent: text\ndata: "second"\n\n');
  });

  it('is there before an event that takes long, and says so', async () => {
    const clock = performance.now();
    const events = await begun(saying(2_000));
    assert.ok(performance.now() - clock < 1_500);
    assert.equal(await textOf(events), ': still here\n\nevent: text\ndata: "first"\n\nevent: text\ndata: "second"\n\n');
    assert.equal(
      await textOf(await begun(saying(400, new Error('Gone')))),
      ': still here\n\nevent: error\ndata: "Gone"\n\n',
    );
  });

  it('is not waited for where many begin at once, or go on beginning', async () => {
    const order: number[] = [];
    const begin = async (number: number): Promise<void> => {
      await begun(saying(2_000));
      order.push(number);
    };
    const many = Array.from({ length: 40 }, (_, number) => begin(number));
    await Promise.race([many.at(-1), wait(60)]);
    await begin(40);
    assert.deepEqual(order.slice(0, 2), [16, 17], 'The first ones are given their moment.');
    assert.equal(order.indexOf(40), 24, 'One that begins soon after them is one of them.');
    await Promise.all(many);
    assert.deepEqual(order.slice(-2), [14, 15]);
  });

  it('ends what makes its events where nobody wants them any more', async () => {
    let hasEnded = false;
    const endless = async function* (): AsyncGenerator<Said> {
      try {
        for (;;) {
          yield { type: 'text', data: '' };
          await wait(1);
        }
      } finally {
        hasEnded = true;
      }
    };
    for await (const _ of eventStream((await begun(endless())).events, String)) break;
    assert.ok(hasEnded);

    hasEnded = false;
    const late = async function* (): AsyncGenerator<Said> {
      try {
        yield* saying(400);
      } finally {
        hasEnded = true;
      }
    };
    const { events, isAwaited } = await begun(late());
    assert.ok(isAwaited);
    for await (const chunk of eventStream(events, String, { isAwaited })) {
      assert.equal(chunk, ': still here\n\n');
      break;
    }
    assert.ok(hasEnded, 'It is ended before its first event, too.');
  });
});
