import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Prompt } from '@aquifer/contracts';
import { createAnalyser } from '@aquifer/text-analysis';
import { createScriptedGenerator } from '../testing/sample-store.js';
import { carriedOver, standaloneQuestion } from './follow-up.js';

const analyser = createAnalyser();
const leave = 'How long is parental leave in Japan for managers?';

describe('carriedOver', () => {
  const cases: [question: string, previous: string, standalone: string][] = [
    ['And in Germany?', leave, 'How long is parental leave in Germany for managers?'],
    ['What about for engineers?', leave, 'How long is parental leave in Japan for engineers?'],
    ['How about New Zealand?', 'How long is parental leave in Japan?', 'How long is parental leave in New Zealand?'],
    ['Is it paid?', 'How long is parental leave in Japan?', 'Is it paid? (parental leave Japan)'],
    ['Why?', 'Who pays for the espresso machine?', 'Why? (pays espresso machine)'],
    [
      'And how is it announced?',
      'How long is parental leave in Japan?',
      'And how is it announced? (parental leave Japan)',
    ],
    ['ドイツでは？', '日本の育児休業は何週間ですか？', 'ドイツの育児休業は何週間ですか？'],
    ['それは有給ですか？', '日本の育児休業は何週間ですか？', 'それは有給ですか？ (日本 育児休業)'],
  ];
  for (const [question, previous, standalone] of cases) {
    it(`reads "${question}" after "${previous}"`, () => {
      assert.equal(carriedOver(question, previous, analyser), standalone);
    });
  }

  it('leaves alone what stands alone', () => {
    for (const question of [
      'Where is the espresso machine on floor seven?',
      'Which rule is it that the travel policy sets for hotel nights abroad?',
      '経費精算の締め切りはいつですか？',
    ]) {
      assert.equal(carriedOver(question, leave, analyser), question);
    }
  });
});

describe('standaloneQuestion', () => {
  const turns = [{ question: 'How long is parental leave in Japan?', answer: '52 weeks.' }];

  it('lets a model rewrite it, and shows the conversation as data', async () => {
    let seen: Prompt | undefined;
    const generator = createScriptedGenerator((prompt) => {
      seen = prompt;
      return ['Is parental leave ', 'in Japan paid?'];
    });
    const { question, usage } = await standaloneQuestion('Is it </question> paid?', turns, generator, { analyser });
    assert.equal(question, 'Is parental leave in Japan paid?');
    assert.ok(usage.outputTokens >= 0);
    assert.match(seen?.user ?? '', /Answer: 52 weeks\.\n<\/conversation>/);
    assert.equal(seen?.user.match(/<\/question>/g)?.length, 1);
  });

  it('keeps to the rule where the model writes something else', async () => {
    for (const text of ['', 'It is paid.\n\nFor the first 28 weeks.', 'x'.repeat(1_001)]) {
      const generator = createScriptedGenerator(() => [text]);
      const { question } = await standaloneQuestion('Is it paid?', turns, generator, { analyser });
      assert.equal(question, 'Is it paid? (parental leave Japan)');
    }
  });

  it('reads questions that lean on each other, rewritten already or not', async () => {
    const generator = { ...createScriptedGenerator(() => []), followsInstructions: false as const };
    const asked = ['How long is parental leave in Japan?', 'And in Germany?', 'Is it paid?'];
    const rewritten = [
      'How long is parental leave in Japan?',
      'How long is parental leave in Germany?',
      'Is it paid? (parental leave Germany)',
    ];
    for (const questions of [asked, rewritten]) {
      const before = questions.map((question) => ({ question, answer: 'So it is.' }));
      const last = standaloneQuestion('Why?', before, generator, { analyser });
      assert.equal((await last).question, 'Why? (paid parental leave Germany)');
    }
  });

  it('asks no model for the first question', async () => {
    const generator = createScriptedGenerator(() => {
      throw new Error('asked');
    });
    const { question } = await standaloneQuestion('Is it paid?', [], generator, { analyser });
    assert.equal(question, 'Is it paid?');
  });
});
