import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import {
  type BedrockRuntimeClient,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
  ThrottlingException,
} from '@aws-sdk/client-bedrock-runtime';
import { createFaultInjector, parseFaults } from './faults.js';
import { parsed, withService } from './testing/service-fixture.js';

const embedding = { modelId: 'amazon.titan-embed-text-v2:0', body: '{"inputText":"Parental leave"}' };
const conversation = {
  modelId: 'anthropic.claude-sonnet-4-20250514-v1:0',
  messages: [{ role: 'user' as const, content: [{ text: 'Hello' }] }],
};
const claudeBody = JSON.stringify({
  anthropic_version: 'bedrock-2023-05-31',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hello' }],
});

/** An unmodified client but for one more header. */
function asking(client: BedrockRuntimeClient, faults: string): BedrockRuntimeClient {
  client.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['x-aquifer-fault'] = faults;
      return next(args);
    },
    { step: 'build' },
  );
  return client;
}

/** What comes out of a stream, and what it ends with. */
async function drained(stream: AsyncIterable<object> | undefined): Promise<{ count: number; error?: Error }> {
  let count = 0;
  try {
    for await (const _ of stream!) count += 1;
  } catch (error) {
    return { count, error: error as Error };
  }
  return { count };
}

for (const protocol of ['h2c', 'http/1.1'] as const) {
  describe(`faults over ${protocol}`, () => {
    it('are errors by name, for a request that asks for them', async () => {
      await withService({}, async (started) => {
        const statuses = {
          AccessDeniedException: 403,
          InternalServerException: 500,
          ModelErrorException: 424,
          ModelNotReadyException: 429,
          ModelTimeoutException: 408,
          ResourceNotFoundException: 404,
          ServiceQuotaExceededException: 400,
          ServiceUnavailableException: 503,
          ThrottlingException: 429,
          ValidationException: 400,
          ExpiredTokenException: 403,
        };
        for (const [name, status] of Object.entries(statuses)) {
          const client = asking(started.client(protocol), `error=${name}`);
          await assert.rejects(
            client.send(new InvokeModelCommand(embedding)),
            (error: Error & { $metadata: object }) => {
              assert.deepEqual(
                [error.name, (error.$metadata as { httpStatusCode: number }).httpStatusCode],
                [name, status],
              );
              return true;
            },
          );
        }
        await assert.rejects(
          asking(started.client(protocol), 'error=NoSuchException').send(new InvokeModelCommand(embedding)),
          { name: 'ValidationException', message: /NoSuchException.*AccessDeniedException/ },
        );
      });
    });

    it('are an exception in the middle of a stream', async () => {
      await withService({ faults: parseFaults('exception=ThrottlingException:3') }, async (started) => {
        const client = started.client(protocol);
        const streams = [
          (await client.send(new ConverseStreamCommand(conversation))).stream,
          (
            await client.send(
              new InvokeModelWithResponseStreamCommand({ modelId: conversation.modelId, body: claudeBody }),
            )
          ).body,
        ];
        for (const stream of streams) {
          const { count, error } = await drained(stream);
          assert.equal(count, 3);
          assert.ok(error instanceof ThrottlingException, String(error));
          assert.match(error.message, /Too many requests/);
        }
      });
    });

    it('are an error that the stream does not model', async () => {
      await withService({ faults: parseFaults('exception=AccessDeniedException') }, async (started) => {
        const { stream } = await started.client(protocol).send(new ConverseStreamCommand(conversation));
        const { count, error } = await drained(stream);
        assert.equal(count, 2);
        assert.match(String(error), /don't have access/);
      });
    });

    it('are a stream that breaks off', async () => {
      await withService({ faults: parseFaults('cut=2') }, async (started) => {
        const { stream } = await started.client(protocol).send(new ConverseStreamCommand(conversation));
        const { count, error } = await drained(stream);
        assert.equal(count, 2);
        // Node's client ends an HTTP/2 stream that was reset as if it were whole: all that tells is that the last events are missing.
        assert.equal(error === undefined, protocol === 'h2c');
      });
    });

    it('hold an answer back for as long as was asked, of all requests or of one', async () => {
      const ms = 500;
      const elapsed = async (client: BedrockRuntimeClient) => {
        const start = performance.now();
        await client.send(new InvokeModelCommand(embedding));
        return performance.now() - start;
      };
      await withService({ faults: parseFaults(`latency=${ms}`) }, async (started) => {
        const client = started.client(protocol);
        // Timers may come a little early by this clock.
        for (const took of [await elapsed(client), await elapsed(client)]) assert.ok(took >= ms - 2, `${took} ms`);
      });
      await withService({}, async (started) => {
        await elapsed(started.client(protocol));
        const took = await elapsed(asking(started.client(protocol), `latency=${ms}`));
        assert.ok(took >= ms - 2, `${took} ms`);
      });
    });

    it('throttle what is more than the quota of a model', async () => {
      let now = 0;
      await withService({ faults: parseFaults('throttle=5'), faultSource: { now: () => now } }, async (started) => {
        const client = started.client(protocol);
        const accepted = async (modelId: string) => {
          const sent = Array.from({ length: 20 }, () => client.send(new InvokeModelCommand({ ...embedding, modelId })));
          const settled = await Promise.allSettled(sent);
          for (const each of settled) {
            if (each.status === 'rejected') assert.equal(each.reason.name, 'ThrottlingException');
          }
          return settled.filter(({ status }) => status === 'fulfilled').length;
        };
        assert.equal(await accepted('amazon.titan-embed-text-v2:0'), 5);
        assert.equal(await accepted('amazon.titan-embed-text-v1'), 5);
        now += 600;
        assert.equal(await accepted('amazon.titan-embed-text-v2:0'), 3);
      });
    });
  });
}

describe('faults', () => {
  it('come at the rate that was asked for', async () => {
    let count = 0;
    const injector = createFaultInjector({ random: () => (count++ % 100) / 100 });
    const { signal } = new AbortController();
    const names = new Map<string, number>();
    for (let index = 0; index < 1_000; index++) {
      try {
        await injector.before(parseFaults('error=ThrottlingException:0.1'), '', signal);
      } catch (error) {
        const { name } = error as Error;
        names.set(name, (names.get(name) ?? 0) + 1);
      }
    }
    assert.deepEqual([...names], [['ThrottlingException', 100]]);
  });

  it('wait, unless the caller has gone', async () => {
    const injector = createFaultInjector();
    const controller = new AbortController();
    const waiting = injector.before(parseFaults('latency=600000'), '', controller.signal);
    controller.abort();
    await waiting;
    await injector.before(parseFaults('latency=1'), '', new AbortController().signal);
  });

  it('are read, or refused with the grammar', () => {
    assert.deepEqual(
      parseFaults('throttle=50, latency=100,error=ThrottlingException:0.1, cut, exception=ModelTimeoutException'),
      {
        requestsPerSecond: 50,
        latencyMs: 100,
        errors: [{ name: 'ThrottlingException', rate: 0.1 }],
        cutAfter: 2,
        exception: { name: 'ModelTimeoutException', events: 2 },
      },
    );
    assert.deepEqual(parseFaults(''), { errors: [] });
    for (const text of [
      'throttle',
      'throttle=x',
      'latency=-1',
      'error=Nope',
      'error=ThrottlingException:2',
      'crash',
      '=',
    ]) {
      assert.throws(
        () => parseFaults(text),
        (error) => isAquiferError(error, 'invalid-options') && error.message.includes('throttle=<requests a second>'),
      );
    }
  });

  it('cannot be asked for in a header where that is off', async () => {
    await withService({ faultsByHeader: false }, async (started) => {
      const { body } = await asking(started.client(), 'error=ThrottlingException').send(
        new InvokeModelCommand(embedding),
      );
      assert.equal(parsed(body).embedding.length, 1024);
    });
  });
});
