import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GeneratorEvent, PromptPassage } from '@aquifer/contracts';
import { generatorContract, samplePrompt } from '@aquifer/contracts/testing';
import { createBuiltinAnswerer } from './builtin-answerer.js';

generatorContract({ describe, it }, { name: 'built-in answerer', create: createBuiltinAnswerer });

interface Answer {
  readonly text: string;
  readonly events: readonly GeneratorEvent[];
  readonly reason: string;
}

async function ask(question: string, passages: readonly PromptPassage[], options = {}): Promise<Answer> {
  const events: GeneratorEvent[] = [];
  for await (const event of createBuiltinAnswerer().generate(samplePrompt(question, passages), options)) {
    events.push(event);
  }
  const stop = events.at(-1);
  return {
    text: events.map((event) => (event.type === 'text' ? event.text : '')).join(''),
    events,
    reason: stop?.type === 'stop' ? stop.reason : '',
  };
}

function passage(number: number, title: string, text: string, more: Partial<PromptPassage> = {}): PromptPassage {
  return {
    number,
    documentId: `document-${number}`,
    source: `${number}.md`,
    title,
    headings: [],
    start: 0,
    end: text.length,
    text,
    tableHeader: '',
    ...more,
  };
}

const handbook = [
  passage(
    1,
    'Leave policy 2025',
    'Staff get 25 days of annual leave.\n\nFull-time employees in Japan may take 52 weeks of parental leave. It starts after the birth.',
  ),
  passage(2, 'Travel rates', 'Oslo | 90 | 210\nTokyo | 80 | 250', { tableHeader: 'City | Meals (EUR) | Hotel (EUR)' }),
  passage(
    3,
    'Security',
    '# Lost devices\n\nIn case of loss:\n- Call extension 4400 within 24 hours.\n- Change your password.\n',
  ),
  passage(4, '在宅勤務規程', '在宅勤務は週3日までとする。在宅勤務手当として、1日につき250円を支給する。'),
];

describe('built-in answerer', () => {
  it('quotes the sentence that answers, word for word, with its marker', async () => {
    const { text, reason } = await ask('How long is parental leave in Japan?', handbook);
    assert.match(text, /^Full-time employees in Japan may take 52 weeks of parental leave\. \[1\]/);
    assert.equal(reason, 'end');
  });

  it('quotes nothing but slices of the passages', async () => {
    for (const question of [
      'How much is a hotel in Tokyo?',
      'What do I do when a device is lost?',
      '在宅勤務手当はいくらですか。',
    ]) {
      const { text } = await ask(question, handbook);
      const quotes = [...text.matchAll(/\s*([\s\S]*?)\s*\[(\d)\]/g)];
      assert.ok(quotes.length > 0, question);
      for (const [, quote, number] of quotes) assert.ok(handbook[Number(number) - 1]!.text.includes(quote!), quote);
    }
  });

  it('finds a table row by the names of its columns', async () => {
    const { text } = await ask('How much is a hotel in Tokyo?', handbook);
    assert.match(text, /^Tokyo \| 80 \| 250 \[2\]/);
  });

  it('takes the first row of a table inside a passage as its header, and quotes it only when alone', async () => {
    const table = passage(1, 'Catalogue', 'Model | Price\nBasic | 900\nPro | 1500');
    assert.match((await ask('What is the price of the Pro model?', [table])).text, /^Pro \| 1500 \[1\]/);
    const alone = passage(1, 'Contact', 'Switchboard | 4400');
    assert.match((await ask('What is the number of the switchboard?', [alone])).text, /^Switchboard \| 4400 \[1\]/);
  });

  it('finds a list item by the heading and the line above it, and leaves its bullet out', async () => {
    const { text } = await ask('Which extension do I call when a device is lost?', handbook);
    assert.match(text, /^Call extension 4400 within 24 hours\. \[3\]/);
  });

  it('takes the question of a list of questions and answers as the heading of its answer', async () => {
    const faq = passage(
      1,
      'FAQ',
      'Can I work from abroad?\nYes, for up to 30 days a year.\nWhen is pay day?\nOn the 25th.\n',
    );
    assert.match((await ask('Can I work from abroad?', [faq])).text, /^Yes, for up to 30 days a year\. \[1\]/);
  });

  it('answers Japanese questions', async () => {
    const { text } = await ask('在宅勤務手当はいくらですか。', handbook);
    assert.equal(text.split('[4]')[0], '在宅勤務手当として、1日につき250円を支給する。');
  });

  it('prefers a sentence that holds what the question word asks for', async () => {
    const bridge = passage(
      1,
      'The bridge',
      'The old bridge was opened with a great parade. The old bridge was opened in 1932.',
    );
    assert.match(
      (await ask('When was the old bridge opened?', [bridge])).text,
      /^The old bridge was opened in 1932\. \[1\]/,
    );
  });

  it('quotes both sides of a contradiction, and no sentence twice', async () => {
    const policy = (number: number, weeks: number): PromptPassage =>
      passage(number, `Leave policy ${number}`, `Parental leave in Japan is ${weeks} weeks.`);
    const { text } = await ask('How long is parental leave in Japan?', [policy(1, 52), policy(2, 26), policy(3, 52)]);
    assert.equal(text, 'Parental leave in Japan is 52 weeks. [1] Parental leave in Japan is 26 weeks. [2]');
  });

  it('abstains in the language of the question', async () => {
    const english = await ask('How tall is Mount Fuji?', handbook);
    assert.equal(english.reason, 'abstained');
    assert.equal(english.text, 'No sentence in the indexed documents answers this question.');
    const japanese = await ask('富士山の標高は何メートルですか。', handbook);
    assert.equal(japanese.reason, 'abstained');
    assert.match(japanese.text, /見つかりませんでした。$/);
    assert.equal((await ask('How long is parental leave?', [])).reason, 'abstained');
    assert.equal((await ask('?!', handbook)).reason, 'abstained');
  });

  it('joins wrapped lines without changing a word', async () => {
    const wrapped = passage(
      1,
      'Leave',
      'Full-time employees in Japan may take at most\n52 weeks of parental leave after the birth.',
    );
    const { text } = await ask('How long is parental leave in Japan?', [wrapped]);
    assert.equal(text, 'Full-time employees in Japan may take at most 52 weeks of parental leave after the birth. [1]');
  });

  it('stops at a stop sequence and at the limit on tokens, between quotations', async () => {
    const question = 'How long is parental leave in Japan?';
    const stopped = await ask(question, handbook, { stopSequences: ['', '52'] });
    assert.equal(stopped.reason, 'stop-sequence');
    assert.match(stopped.text, /may take $/);
    assert.equal((await ask(question, handbook, { maxTokens: 3 })).reason, 'max-tokens');
    await assert.rejects(ask(question, handbook, { maxTokens: 0 }), { code: 'invalid-options' });
  });

  it('reads texts without sentences, lines or an end', async () => {
    const hostile = [
      'a'.repeat(300_000),
      '| '.repeat(100_000),
      '\n'.repeat(100_000),
      '\uD800',
      'leave '.repeat(50_000),
    ];
    for (const text of hostile) {
      const { text: answer, reason } = await ask('How long is leave?', [passage(1, 'Leave', text)]);
      assert.ok(answer.length < 2500);
      assert.match(reason, /^(?:end|abstained)$/);
    }
  });
});
