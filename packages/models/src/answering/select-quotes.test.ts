import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PromptPassage } from '@aquifer/contracts';
import { createAnalyser } from '@aquifer/text-analysis';
import { selectQuotes } from './select-quotes.js';

const analyser = createAnalyser();

function quotes(question: string, ...texts: (string | Partial<PromptPassage>)[]): string[] {
  const passages = texts.map((item, index): PromptPassage => {
    const given = typeof item === 'string' ? { text: item } : item;
    const text = given.text ?? '';
    const place = { number: index + 1, documentId: `d${index}`, source: `${index}.md`, title: '', headings: [] };
    return { ...place, start: 0, end: text.length, tableHeader: '', ...given, text };
  });
  return selectQuotes(question, passages, analyser).map(({ text }) => text);
}

describe('selectQuotes', () => {
  it('prefers a quantity in the unit that is asked for', () => {
    const text = 'The ferry course costs 40 euros. The ferry course takes six weeks. The ferry course has 12 places.';
    assert.equal(quotes('How many weeks does the ferry course take?', text)[0], 'The ferry course takes six weeks.');
    assert.equal(quotes('How much does the ferry course cost?', text)[0], 'The ferry course costs 40 euros.');
    assert.equal(quotes('How many places does the ferry course have?', text)[0], 'The ferry course has 12 places.');
  });

  it('prefers the asked counter in Japanese', () => {
    const text = '船員講習の受講料は3万円である。船員講習の定員は12人である。船員講習は6週間で修了する。';
    assert.equal(quotes('船員講習は何週間ですか。', text)[0], '船員講習は6週間で修了する。');
    assert.equal(quotes('船員講習の定員は何人ですか。', text)[0], '船員講習の定員は12人である。');
  });

  it('tells a length that something must have from a time', () => {
    const text = '# Labels\n\nThe old label rule ended after 90 days.\n\nAt least 8 characters.';
    assert.equal(quotes('How long must a label be?', text)[0], 'At least 8 characters.');
  });

  it('takes a quantity of the asked kind for the word that names it', () => {
    const text = 'The clamp has four screws. Tighten the screws of the clamp with 12 newton metres.';
    assert.deepEqual(quotes('What torque do the screws of the clamp need?', text), [
      'Tighten the screws of the clamp with 12 newton metres.',
    ]);
  });

  it('finds derived, irregular and joined forms of the words of a question', () => {
    const rows = { text: 'Kenyan guests | 4\nNorwegian guests | 9', tableHeader: 'Who | Reduction' };
    assert.equal(quotes('By how much is the fee reduced for guests from Kenya?', rows)[0], 'Kenyan guests | 4');
    assert.deepEqual(quotes('Who keeps the keys of the boat house?', 'The boathouse keys are kept by Ida Moe.'), [
      'The boathouse keys are kept by Ida Moe.',
    ]);
  });

  it('takes the row whose range holds the amount that is asked about', () => {
    const text =
      '# Orders\n\nUp to | Signs | Also signs\n500 | Clerk | —\n9,000 | Office head | —\nabove 9,000 | Owner | —';
    const signs = (amount: string) => quotes(`Who signs an order of ${amount} euros?`, text)[0];
    assert.equal(signs('300'), '500 | Clerk | —');
    assert.equal(signs('2000'), '9,000 | Office head | —');
    assert.equal(signs('8,000'), '9,000 | Office head | —');
    assert.equal(signs('20,000'), 'above 9,000 | Owner | —');
  });

  it('quotes several rows where the question names a column and no row', () => {
    const text =
      'The canteen subsidy is paid for workdays.\n\nTown | Canteen subsidy\nOslo | 7\nKobe | 6\nCork | 5\nLima | 4\nPune | 3';
    const found = quotes('How much is the canteen subsidy?', text);
    assert.deepEqual(found.slice(-4), ['Oslo | 7', 'Kobe | 6', 'Cork | 5', 'Lima | 4']);
    assert.deepEqual(quotes('How much is the canteen subsidy in Cork?', text), ['Cork | 5']);
  });

  it('does not quote the rows of something else beside the row that is asked for', () => {
    const text = { text: '椅子 | 購入補助 | 3万円\n机 | 購入補助 | 8千円', tableHeader: '項目 | 支給 | 上限額' };
    assert.deepEqual(quotes('椅子の購入補助の上限額はいくらですか。', text), ['椅子 | 購入補助 | 3万円']);
  });

  it('does not quote covers and tables of contents as sentences', () => {
    const cover = 'Fjord Rowing Club\nBoat rental in summer\nBoat rental in winter\nBoat rental fees\n\n';
    const text = `${cover}A boat is rented for at most three hours in summer.`;
    assert.deepEqual(quotes('How long is a boat rental in summer?', { text, title: 'Boat rental' }), [
      'A boat is rented for at most three hours in summer.',
    ]);
  });

  it('stops where a further quotation adds nothing', () => {
    const text =
      'Visitors in Bergen may park for four hours. Visitors in Bergen sign a list. Dogs wait outside for two hours.';
    assert.deepEqual(quotes('How long may visitors in Bergen park?', text), [
      'Visitors in Bergen may park for four hours.',
    ]);
  });

  it('goes on with the sentence that continues the answer', () => {
    const text = '貸出期間は2週間まで延長できる。なお予約がないときは、さらに4週間まで再延長できる。返却は窓口で行う。';
    assert.deepEqual(quotes('貸出期間はいつまで延長できますか。', text), [
      '貸出期間は2週間まで延長できる。',
      'なお予約がないときは、さらに4週間まで再延長できる。',
    ]);
  });

  it('prefers a noun that stands alone to a part of a longer one', () => {
    const text = '特別短期貸出は3日間とする。短期貸出は7日間とする。';
    assert.equal(quotes('短期貸出は何日間ですか。', text)[0], '短期貸出は7日間とする。');
  });

  it('answers a question that yes or no answers from a list of questions and answers', () => {
    const text =
      'Storm damage abroad is insured.\n\nMay I sail to another country?\n\nYes, for up to nine days a year.';
    assert.equal(quotes('Can I sail abroad for a while?', text)[0], 'Yes, for up to nine days a year.');
  });

  it('abstains where the passages say everything but what the question is about', () => {
    const texts = ['The office may be opened by the guard at any time.', 'Bring a badge along.'];
    assert.deepEqual(quotes('Can I bring my parrot to the office?', ...texts), []);
    assert.deepEqual(quotes('May the guard open the office?', ...texts), texts.slice(0, 1));
  });
});
