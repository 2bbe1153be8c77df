import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AquiferError, type Generator, isAquiferError } from '@aquifer/contracts';
import { createRetriever } from '../searching/retriever.js';
import { createSampleEmbedder, createSampleStore, createScriptedGenerator } from '../testing/sample-store.js';
import type { Answer, AnswerEvent } from './answer-events.js';
import { type AskOptions, createAnswerer } from './answerer.js';

const leaveText =
  '# Parental leave\n\nFull-time employees in Japan may take 52 weeks of parental leave. It is paid in part.\n\n' +
  '# Holidays\n\nThere are 20 days of holiday a year.';
const documents = [
  { id: 'leave', title: 'Leave policy 2025', text: leaveText },
  {
    id: 'travel',
    title: 'Travel policy',
    text: 'Trains are preferred to planes.\n\nHotels cost at most 120 euros a night.',
  },
];

function setUp(generator: Generator, corpus = documents) {
  const store = createSampleStore(corpus);
  const retriever = createRetriever({ store, embedder: createSampleEmbedder() });
  return createAnswerer({ retriever, store, generator });
}

async function collect(generator: Generator, question: string, options?: AskOptions, corpus = documents) {
  const events: AnswerEvent[] = [];
  for await (const event of setUp(generator, corpus).ask(question, options)) events.push(event);
  const last = events.at(-1)!;
  assert.equal(last.type, 'answer');
  const answer = (last as { answer: Answer }).answer;
  for (const { start, end, references } of answer.citations) {
    assert.ok(start < end && end <= answer.answer.length);
    for (const reference of references) {
      const { text } = corpus.find(({ id }) => id === reference.documentId)!;
      assert.equal(text.slice(reference.start, reference.end), reference.quote);
      assert.ok(reference.quote.length > 0);
    }
  }
  return { events, answer };
}

const slices = ({ answer }: Answer, places: readonly { readonly start: number; readonly end: number }[]) =>
  places.map(({ start, end }) => answer.slice(start, end));
/** The number of the passage of a document, as a marker. */
const marker = (prompt: { passages: readonly { number: number; text: string }[] }, part: string) =>
  `[${prompt.passages.find(({ text }) => text.includes(part))!.number}]`;

describe('ask', () => {
  it('streams what was found, text, citations and the whole answer', async () => {
    const generator = createScriptedGenerator((prompt) => [
      'You get 52 we',
      'eks in Japan ',
      marker(prompt, '52 weeks').slice(0, 1),
      `${marker(prompt, '52 weeks').slice(1)}; holidays are 20 days ${marker(prompt, '20 days')}.`,
    ]);
    const { events, answer } = await collect(generator, 'How long is parental leave?', { includePrompt: true });
    assert.deepEqual(
      events.map(({ type }) => type),
      ['search', 'text', 'text', 'citation', 'text', 'citation', 'text', 'answer'],
    );
    assert.equal(answer.answer, 'You get 52 weeks in Japan; holidays are 20 days.');
    assert.equal(events.map((event) => (event.type === 'text' ? event.text : '')).join(''), answer.answer);
    assert.deepEqual(slices(answer, answer.citations), ['You get 52 weeks in Japan', 'holidays are 20 days']);
    assert.deepEqual(
      answer.citations.map(({ references }) =>
        references.map(({ quote, verified, headings }) => [quote, verified, headings]),
      ),
      [
        [['Full-time employees in Japan may take 52 weeks of parental leave.', true, ['Parental leave']]],
        [['There are 20 days of holiday a year.', true, ['Holidays']]],
      ],
    );
    assert.deepEqual(answer.unsupported, []);
    assert.equal(answer.abstained, false);
    assert.equal(answer.model, 'scripted');
    assert.deepEqual(answer.usage, { inputTokens: 10, outputTokens: 5 });
    assert.equal(answer.considered, generator.prompts[0]!.passages.length);
    assert.equal(answer.prompt, generator.prompts[0]);
    const [search] = events as [Extract<AnswerEvent, { type: 'search' }>];
    assert.deepEqual(
      search.considered.map(({ rank }) => rank),
      generator.prompts[0]!.passages.map(({ number }) => number),
    );
  });

  it('counts what the search cost with what the model costs, where that is known', async () => {
    const priced = (costUsd?: number): Generator => ({
      ...createScriptedGenerator(() => []),
      async *generate() {
        yield { type: 'text', text: 'How long is parental leave in Japan?' };
        yield { type: 'stop', reason: 'end', usage: { inputTokens: 10, outputTokens: 5, ...(costUsd && { costUsd }) } };
      },
    });
    const reranker = { id: 'priced', rerank: async (_: string, texts: readonly string[]) => texts.map(() => 1) };
    const asked = async (generator: Generator, options: AskOptions = {}) => {
      const store = createSampleStore(documents);
      const costUsd = () => 0.25;
      const retriever = createRetriever({
        store,
        embedder: createSampleEmbedder(),
        reranker: { ...reranker, costUsd },
      });
      return (await createAnswerer({ retriever, store, generator }).answer('How long is parental leave?', options))
        .usage;
    };
    assert.deepEqual(await asked(priced(0.5)), { inputTokens: 10, outputTokens: 5, costUsd: 0.75 });
    assert.deepEqual(await asked(priced()), { inputTokens: 10, outputTokens: 5 });
    // Also for the question that was rewritten before it was searched for.
    const conversation = [{ question: 'Who may take leave?', answer: 'Everybody.' }];
    assert.deepEqual(await asked(priced(0.5), { conversation }), { inputTokens: 20, outputTokens: 10, costUsd: 1.25 });
    assert.deepEqual(await asked(priced(), { conversation }), { inputTokens: 20, outputTokens: 10 });
  });

  it('asks by a prompt of the caller, which must have a place for the passages', async () => {
    const generator = createScriptedGenerator((prompt) => [`Arr, 52 weeks in Japan ${marker(prompt, '52 weeks')}.`]);
    const promptTemplate = 'Be a pirate. $search_results$';
    const { answer } = await collect(generator, 'How long is parental leave?', { promptTemplate });
    assert.match(generator.prompts[0]!.user, /^Be a pirate\. <passages>/);
    assert.equal(answer.citations.length, 1);
    await assert.rejects(collect(generator, 'How long?', { promptTemplate: 'Be a pirate.' }), {
      code: 'invalid-options',
    });
    // The template takes room of its own.
    const small = createScriptedGenerator(() => [], { contextTokens: 600 });
    const long = { promptTemplate: `${'Arr. '.repeat(400)} $search_results$` };
    await assert.rejects(collect(small, 'How long is parental leave?', long), { code: 'too-large' });
  });

  it('lists what no passage bears out', async () => {
    const generator = createScriptedGenerator((prompt) => [
      `Yes. You get 53 weeks of parental leave in Japan ${marker(prompt, '52 weeks')}. Everybody is happy about that. ` +
        `It is paid in part ${marker(prompt, '52 weeks')}, and costs 7 million. Two rules:\n\n- Hotels cost 120 euros ${marker(prompt, '120')}.`,
    ]);
    const { answer } = await collect(generator, 'How long is parental leave?');
    assert.deepEqual(slices(answer, answer.unsupported), [
      'You get 53 weeks of parental leave in Japan',
      'Everybody is happy about that.',
      'and costs 7 million.',
    ]);
    assert.deepEqual(
      answer.citations.map(({ references }) => references.every(({ verified }) => verified)),
      [false, true, true],
    );
  });

  it('lets one marker stand for the sentences before it that its passage bears out', async () => {
    const generator = createScriptedGenerator((prompt) => [
      `Pigs can fly. You may take 52 weeks of parental leave in Japan. It is paid in part. ${marker(prompt, '52 weeks')}`,
    ]);
    const { answer } = await collect(generator, 'How long is parental leave?');
    assert.deepEqual(slices(answer, answer.citations), [
      'You may take 52 weeks of parental leave in Japan. It is paid in part.',
    ]);
    assert.deepEqual(slices(answer, answer.unsupported), ['Pigs can fly.']);
  });

  it('does not ask the model when nothing is found', async () => {
    const never: Generator = {
      ...createScriptedGenerator(() => []),
      generate: () => {
        throw new Error('must not be asked');
      },
    };
    const filter = { equals: { key: 'country', value: 'US' } } as const;
    const { answer, events } = await collect(never, 'How long is parental leave?', { filter });
    assert.deepEqual(
      events.map(({ type }) => type),
      ['search', 'text', 'answer'],
    );
    assert.equal(answer.abstained, true);
    assert.equal(answer.answer, 'The indexed documents do not answer this question.');
    assert.deepEqual([answer.citations, answer.unsupported, answer.considered], [[], [], 0]);
    assert.deepEqual(answer.usage, { inputTokens: 0, outputTokens: 0 });
    assert.match((await collect(never, '育児休業は何週間ですか？', { filter })).answer.answer, /見つかりませんでした/);
  });

  it('knows an abstention by the stop reason, by the marker, and by silence', async () => {
    const said = createScriptedGenerator(() => ['Nothing about that [1].'], { reason: 'abstained' });
    const marked = createScriptedGenerator(() => ['[no', 'ne] The documents', ' do not say [1].']);
    const silent = createScriptedGenerator(() => []);
    for (const [generator, text] of [
      [said, 'Nothing about that.'],
      [marked, 'The documents do not say.'],
      [silent, 'The indexed documents do not answer this question.'],
    ] as const) {
      const { answer } = await collect(generator, 'What is the meaning of life?');
      assert.equal(answer.answer, text);
      assert.deepEqual([answer.abstained, answer.citations, answer.unsupported], [true, [], []]);
    }
  });

  it('never presents an interrupted answer as a whole one', async () => {
    const failures = [
      [new Error('socket hang up'), 'model-failed', /scripted failed: socket hang up/],
      [new AquiferError('model-failed', 'Throttled.', { retryable: true }), 'model-failed', /Throttled/],
    ] as const;
    for (const [failsWith, code, message] of failures) {
      const generator = createScriptedGenerator((prompt) => [`You get 52 weeks ${marker(prompt, '52')}. And`], {
        failsWith,
      });
      const events: AnswerEvent[] = [];
      await assert.rejects(
        async () => {
          for await (const event of setUp(generator).ask('How long is parental leave?')) events.push(event);
        },
        (error) => isAquiferError(error, code) && message.test(error.message),
      );
      const last = events.at(-1)!;
      assert.equal(last.type, 'interrupted');
      assert.ok(last.type === 'interrupted' && last.answer === 'You get 52 weeks. And' && last.citations.length === 1);
    }
    const endless = { ...createScriptedGenerator(() => []), generate: async function* () {} };
    await assert.rejects(setUp(endless).answer('How long is parental leave?'), (error) =>
      isAquiferError(error, 'model-failed'),
    );
  });

  it('says when the answer was cut at its limit', async () => {
    const generator = createScriptedGenerator(() => ['It is 52'], { reason: 'max-tokens' });
    assert.equal((await collect(generator, 'How long is parental leave?')).answer.stopReason, 'max-tokens');
  });

  it('stops the model when the caller leaves or aborts', async () => {
    let isClosed = false;
    const generator: Generator = {
      ...createScriptedGenerator(() => []),
      async *generate() {
        try {
          for (;;) yield { type: 'text', text: 'word ' };
        } finally {
          isClosed = true;
        }
      },
    };
    for await (const event of setUp(generator).ask('How long is parental leave?')) if (event.type === 'text') break;
    assert.equal(isClosed, true);
    isClosed = false;
    const controller = new AbortController();
    await assert.rejects(
      async () => {
        for await (const event of setUp(generator).ask('How long?', { signal: controller.signal })) {
          if (event.type === 'text') controller.abort();
        }
      },
      (error) => isAquiferError(error, 'aborted'),
    );
    assert.equal(isClosed, true);
  });

  it('refuses bad questions and options before it does anything', async () => {
    const answerer = setUp(createScriptedGenerator(() => ['x']));
    const code = (wanted: string) => (error: unknown) => isAquiferError(error) && error.code === wanted;
    await assert.rejects(answerer.answer(' '), code('invalid-query'));
    await assert.rejects(answerer.answer('x'.repeat(20_001)), code('invalid-query'));
    await assert.rejects(answerer.answer('leave', { limit: 0 }), code('invalid-options'));
    await assert.rejects(answerer.answer('leave', { limit: 1_001 }), /1 to 1000, not 1001/);
    await assert.rejects(answerer.answer('leave', { maxTokens: 0 }), code('invalid-options'));
    await assert.rejects(answerer.answer('leave', { maxTokens: 1e9 }), code('invalid-options'));
    await assert.rejects(answerer.answer('leave', { temperature: 3 }), code('invalid-options'));
  });

  it('keeps the prompt within the context of the model', async () => {
    const corpus = Array.from({ length: 30 }, (_, index) => ({
      id: `d${index}`,
      title: `Leave ${index}`,
      text: `Leave number ${index} is long. `.repeat(60).trim(),
    }));
    const generator = createScriptedGenerator(() => ['It is long.'], { contextTokens: 3_000 });
    const { answer } = await collect(generator, 'How long is leave?', { limit: 20 }, corpus);
    assert.ok(answer.considered > 0 && answer.considered < 20);
    const { system, user } = generator.prompts[0]!;
    assert.ok(Buffer.byteLength(system + user) / 3 <= 3_000 * 0.75);
  });

  it('cites exact slices whatever the model says', async () => {
    const words = [...leaveText.split(/\s+/), ...'[1] [2] [3] [9] 。 . ; \n 52 1,000 「 」 ” “ 😀 休業'.split(' ')];
    let state = 1;
    const below = (limit: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % limit;
    };
    for (let round = 0; round < 200; round++) {
      const pieces = Array.from({ length: 30 }, () => `${words[below(words.length)]!}${below(3) > 0 ? ' ' : ''}`);
      const { answer } = await collect(
        createScriptedGenerator(() => pieces),
        'How long is parental leave?',
      );
      for (const { start, end } of answer.unsupported) assert.ok(start < end && end <= answer.answer.length);
      assert.doesNotMatch(answer.answer, /\[[12]\]/);
    }
  });
});
