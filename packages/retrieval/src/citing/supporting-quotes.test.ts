import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAnalyser } from '@aquifer/text-analysis';
import { findSupportingQuotes } from './supporting-quotes.js';

const analyser = createAnalyser();
const quotes = (claim: string, text: string) =>
  findSupportingQuotes(claim, text, analyser).map(({ start, end }) => text.slice(start, end));

const leave =
  'Parental leave may be taken by every employee. Full-time employees in Japan may take\n52 weeks of parental leave. ' +
  'Where no nursery place is found, it is extended to 24 months after the birth. Ask the people team for the form.';

describe('findSupportingQuotes', () => {
  it('finds the words themselves across line ends, case and width', () => {
    assert.deepEqual(quotes('full-time employees in Japan may take 52 weeks of parental leave.', leave), [
      'Full-time employees in Japan may take\n52 weeks of parental leave.',
    ]);
    assert.deepEqual(quotes('育児休業は５２週', '規程：育児休業は\n52週です。'), ['育児休業は\n52週']);
    assert.deepEqual(quotes('52 weeks', leave), ['52 weeks']);
  });

  it('finds the sentence that says it in other words', () => {
    assert.deepEqual(quotes('Parents in Japan get 52 weeks.', leave), [
      'Full-time employees in Japan may take\n52 weeks of parental leave.',
    ]);
    assert.deepEqual(quotes('It can be prolonged to 24 months without a nursery place', leave), [
      'Where no nursery place is found, it is extended to 24 months after the birth.',
    ]);
  });

  it('takes neighbouring sentences together, and a distant one apart', () => {
    assert.deepEqual(quotes('Japan: 52 weeks of leave, extended to 24 months without nursery place', leave), [
      leave.slice(leave.indexOf('Full-time'), leave.indexOf(' Ask')),
    ]);
    const filler = 'Something else is said here. '.repeat(5);
    const text = `The fee is 20 euros for adults. ${filler}Children pay a fee of 12 euros. ${filler}`;
    assert.deepEqual(quotes('The fee is 20 euros for adult visitors and 12 euros for children.', text).sort(), [
      'Children pay a fee of 12 euros.',
      'The fee is 20 euros for adults.',
    ]);
  });

  it('falls back to the beginning where nothing is shared', () => {
    assert.deepEqual(quotes('全く別の話です', 'Alpha beta. Gamma delta.'), ['Alpha beta. Gamma delta.']);
    assert.deepEqual(quotes('全く別の話です', `${'word '.repeat(100)}ends. More.`), [`${'word '.repeat(100)}ends.`]);
    assert.deepEqual(quotes('anything', ' \n '), []);
  });

  it('keeps characters whole', () => {
    const text = '😀 ｶﾞｽ料金は１２円です。👍';
    const [quote] = quotes('ガス料金は12円です', text);
    assert.ok(quote && !/\p{Surrogate}/u.test(quote));
  });
});
