import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GenerateEvent } from '@aquifer/bedrock-wire';
import { type Embedder, type Generator, isAquiferError, type Prompt } from '@aquifer/contracts';
import { embedderByName } from 'aquifer';
import { createLocalBackend, mappedModel } from './local-backend.js';
import { readAsked } from './prompt-passages.js';
import { prompt } from './testing/model-bodies.js';
import { modelsByName } from './testing/service-fixture.js';

const inputs = [{ type: 'text', text: 'Parental leave' }] as const;
const sources = [
  { kind: 'search-result', source: 'a', title: 'A', blocks: ['Something else.'], isCited: true },
  { kind: 'search-result', source: 'b', title: 'B', blocks: ['Leave is 52 weeks.'], isCited: true },
] as const;

describe('the model that stands in', () => {
  it('is the one of the id, else of the longest beginning', () => {
    const models = { '*': 'any', 'anthropic.*': 'claude', 'anthropic.claude-v2': 'two', 'us.anthropic.claude-x': 'us' };
    assert.equal(mappedModel(models, 'anthropic.claude-v2'), 'two');
    assert.equal(mappedModel(models, 'us.anthropic.claude-x'), 'us');
    assert.equal(mappedModel(models, 'us.anthropic.claude-y'), 'claude');
    assert.equal(mappedModel(models, 'amazon.titan-embed-text-v1'), 'any');
    assert.equal(mappedModel({ 'anthropic.*': 'claude' }, 'amazon.titan-embed-text-v1'), undefined);
    assert.equal(mappedModel({}, 'constructor'), undefined);
  });

  it('is opened once, and asked again where that failed', async () => {
    const opened: string[] = [];
    const backend = createLocalBackend({
      ...modelsByName,
      embedderByName: async (name) => {
        opened.push(name);
        if (opened.length === 1) throw new Error('not yet');
        return embedderByName(name);
      },
    });
    const call = { modelId: 'amazon.titan-embed-text-v2:0', inputs, purpose: 'document', dimensions: 1024 } as const;
    await assert.rejects(backend.embed(call), /not yet/);
    await Promise.all([backend.embed(call), backend.embed(call)]);
    assert.deepEqual(opened, ['builtin:1024', 'builtin:1024']);
  });

  it('gives vectors as long as was asked for, of length 1', async () => {
    const backend = createLocalBackend(modelsByName);
    for (const dimensions of [256, 384, 512, 1024, 1536]) {
      const [vector] = await backend.embed({
        modelId: 'amazon.titan-embed-image-v1',
        inputs,
        purpose: 'document',
        dimensions,
      });
      assert.equal(vector!.length, dimensions);
      assert.ok(Math.abs(vector!.reduce((sum, value) => sum + value * value, 0) - 1) < 1e-5);
    }
  });

  it('may have fewer dimensions, not more', async () => {
    const small: Embedder = {
      fingerprint: { provider: 'onnx', model: 'small', dimensions: 2, normalised: true },
      dimensions: 2,
      maxInputTokens: 100,
      fusionWeight: 0.5,
      embed: async (texts) => ({ vectors: texts.map(() => Float32Array.of(0.6, 0.8)), tokens: texts.map(() => 1) }),
    };
    const backend = createLocalBackend({
      ...modelsByName,
      models: { 'amazon.*': 'onnx:small' },
      embedderByName: async () => small,
    });
    const embed = (dimensions: number) =>
      backend.embed({ modelId: 'amazon.titan-embed-text-v2:0', inputs, purpose: 'document', dimensions });
    assert.deepEqual([...(await embed(4))[0]!], [...Float32Array.of(0.6, 0.8, 0, 0)]);
    await assert.rejects(
      embed(1),
      (error) => isAquiferError(error, 'model-rejected') && /small.*2 dimensions/.test(error.message),
    );
  });

  it('embeds what may be question or document so that the two are alike', async () => {
    const backend = createLocalBackend(modelsByName);
    const texts = [
      'How long is parental leave?',
      'Parental leave\nParental leave is 52 weeks.',
      'The printer is out of paper.',
    ];
    const [question, related, unrelated] = await backend.embed({
      modelId: 'amazon.titan-embed-text-v2:0',
      inputs: texts.map((text) => ({ type: 'text', text })),
      purpose: undefined,
      dimensions: 1024,
    });
    const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, index) => sum + value * b[index]!, 0);
    assert.ok(cosine(question!, related!) > 0.4);
    assert.ok(Math.abs(cosine(question!, unrelated!)) < 0.15);
  });

  it('embeds a picture as what it is: equal bytes alike, others not', async () => {
    const backend = createLocalBackend(modelsByName);
    const embed = async (text: string) => {
      const bytes = Buffer.from(text);
      const call = { modelId: 'amazon.titan-embed-image-v1', purpose: 'document', dimensions: 1024 } as const;
      return (await backend.embed({ ...call, inputs: [{ type: 'image', bytes }] }))[0]!;
    };
    assert.deepEqual(await embed('one'), await embed('one'));
    assert.notDeepEqual(await embed('one'), await embed('two'));
  });
});

describe('reranking', () => {
  const call = {
    modelId: 'cohere.rerank-v3-5:0',
    query: 'parental leave',
    texts: ['Parental leave is long.', 'Printers'],
  };

  it('compares words where no reranker is named', async () => {
    const [related, unrelated] = await createLocalBackend(modelsByName).rerank(call);
    assert.ok(related! > unrelated! + 0.1, `${related} ${unrelated}`);
    for (const score of [related!, unrelated!]) assert.ok(score >= 0 && score <= 1);
  });

  it('takes the scores of the reranker that is named, as shares', async () => {
    const scores = async (given: readonly number[]) =>
      createLocalBackend({
        ...modelsByName,
        models: { 'cohere.rerank*': 'onnx:cross' },
        rerankerByName: async (name) => ({ id: name, rerank: async () => given }),
      }).rerank(call);
    assert.deepEqual(await scores([0.9, 0.1]), [0.9, 0.1]);
    const [high, low] = await scores([8, -8]);
    assert.ok(high! > 0.99 && high! < 1 && low! > 0 && low! < 0.01);
  });
});

describe('an answer', () => {
  /** A generator that says what it is told, in the pieces it is told, and keeps what it was asked. */
  function speaking(...pieces: string[]): { generator: Generator; asked: Prompt[] } {
    const asked: Prompt[] = [];
    const generator: Generator = {
      id: 'spoken',
      description: 'says what it is told',
      contextTokens: 1_000,
      async *generate(given) {
        asked.push(given);
        for (const text of pieces) yield { type: 'text', text };
        yield { type: 'stop', reason: 'end', usage: { inputTokens: 7, outputTokens: 8 } };
      },
    };
    return { generator, asked };
  }
  async function answered(
    generator: Generator,
    conversation: Parameters<typeof readAsked>[0],
  ): Promise<GenerateEvent[]> {
    const backend = createLocalBackend({
      ...modelsByName,
      models: { '*': 'spoken' },
      generatorByName: async () => generator,
    });
    const events: GenerateEvent[] = [];
    for await (const event of backend.generate({ modelId: 'anthropic.claude-x', conversation, stopSequences: [] })) {
      events.push(event);
    }
    return events;
  }
  const conversation = { system: 'Be brief.', messages: [{ role: 'user', text: 'How long?' }], sources } as const;

  it('of another model has its markers made into citations of the sources', async () => {
    const { generator, asked } = speaking('It is 52 ', 'weeks. [', '2] Else', ' nothing [9].');
    const events = await answered(generator, conversation);
    assert.deepEqual(events, [
      { type: 'text', text: 'It is 52 weeks.', sources: [1] },
      { type: 'text', text: ' Else nothing' },
      { type: 'text', text: '.' },
      { type: 'stop', reason: 'end', inputTokens: 7, outputTokens: 8 },
    ]);
    assert.match(asked[0]!.system, /^Be brief\.[\s\S]*in square brackets/);
    assert.match(asked[0]!.user, /\[2\] B\nLeave is 52 weeks\.[\s\S]*How long\?$/);
  });

  it('comes as it is where nothing is to be cited', async () => {
    const { generator } = speaking('It is [1] ', 'so.');
    const events = await answered(generator, { ...conversation, sources: [] });
    assert.deepEqual(events.slice(0, 2), [
      { type: 'text', text: 'It is [1] ' },
      { type: 'text', text: 'so.' },
    ]);
  });

  it('of the built-in answerer says that there is none in the way the prompt asks for', async () => {
    const backend = createLocalBackend(modelsByName);
    const text = prompt.replace('How long is parental leave in Japan?', 'Who won the football championship of 1986?');
    const conversations = [
      { system: 'If the passages do not answer, write [none].', messages: [{ role: 'user', text }], sources: [] },
      { system: '', messages: [{ role: 'user', text }], sources: [] },
    ] as const;
    const said = [];
    for (const each of conversations) {
      for await (const event of backend.generate({ modelId: 'x', conversation: each, stopSequences: [] })) {
        if (event.type === 'text') said.push(event.text);
      }
    }
    assert.deepEqual(said, [
      '[none] No sentence in the indexed documents answers this question.',
      'No sentence in the indexed documents answers this question.',
    ]);
  });
});

describe('a prompt', () => {
  const asked = (text: string) => readAsked({ system: '', messages: [{ role: 'user', text }], sources: [] });

  it('has its question and its passages read back', () => {
    const { question, passages } = asked(`Instructions.\n\n${prompt}\n\nAnswer:`);
    assert.equal(question, 'How long is parental leave in Japan?');
    assert.deepEqual(
      passages.map(({ number, source, title, headings }) => ({ number, source, title, headings })),
      [
        { number: 1, source: 'leave.md', title: 'Leave & absence', headings: ['Leave', 'Parental'] },
        { number: 2, source: 'printers.md', title: 'printers.md', headings: [] },
      ],
    );
    assert.match(passages[1]!.text, /^The printer on the second floor is out of paper\.$/);
  });

  it('has the fence of its passages undone, and is not confused by what is not closed', () => {
    const fenced = asked('<passages>\n<passage number="3">\nUse &lt;passage> and &lt;b>.\n</passage>\n</passages>');
    assert.equal(fenced.passages[0]!.text, 'Use <passage> and &lt;b>.');
    for (const text of ['<passages>', '<passages>\n<passage number="1">\nx', '<question>'.repeat(100_000)]) {
      assert.deepEqual(asked(text), { question: text, passages: [], areSources: false });
    }
  });
});
