import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimedFacts, evidentFacts, foldForSearch, missingFacts, quotedWords } from './facts.js';

const missing = (claim: string, evidence: string) =>
  missingFacts(claimedFacts(claim), evidentFacts(evidence), foldForSearch(evidence));

const borneOut: readonly (readonly [claim: string, evidence: string])[] = [
  ['It costs 1,000 euros.', 'Cost: 1000'],
  ['It costs 1000 euros.', 'Cost: １，０００'],
  ['A fee of 1.50', 'fee 1.5 %'],
  ['費用は2万円です。', '費用は20,000円です。'],
  ['売上は3億5千万円。', '売上は350,000,000円。'],
  ['Sales of 1.5 million', 'Sales: 1,500,000'],
  ['2 weeks', 'two weeks'],
  ['24 days', 'twenty-four days'],
  ['育児休業は52週です。', '育児休業は五十二週とする。'],
  ['20日です。', '二十日とする。'],
  ['From 1 April 2025', 'Valid from 2025-04-01.'],
  ['From April 1st, 2025', '2025年4月1日から'],
  ['2025年4月1日から', '令和7年4月1日から'],
  ['From 2025/4/1', '１ Apr. 2025'],
  ['in April 2025', '2025-04-30'],
  ['on 1 April', 'April 1, 2025'],
  ['on 1 April 2025', 'Leave policy 2025\nfrom 1 April'],
  ['on 4/1/2025', '1 April 2025'],
  ['on 4/1/2025', '4 January 2025'],
  ['At 17:30.', 'until 5:30 p.m.'],
  ['at 5 pm', 'until 17:00'],
  ['午後5時まで', 'until 17:00'],
  ['9時30分から', '9:30'],
  ['9時半から', 'from 9:30'],
  ['Error ERR-42 means no power.', 'err-42: no power'],
  ['Version 3.1.4 is needed.', 'needs 3.1.4'],
  ['1. Keep the receipt.', 'Keep the receipt.'],
  ['No facts at all.', ''],
  ['Level 3 may apply.', 'Level 3 could apply.'],
];

const notBorneOut: readonly (readonly [claim: string, evidence: string, missing: readonly string[]])[] = [
  ['52 weeks', '40 weeks', ['52']],
  ['1,000 euros', '100 euros and 1.000 more', ['1000']],
  ['on 1 April 2025', '1 April 2024', ['2025-4-1']],
  ['on 2 April 2025', '2025-04-01', ['2025-4-2']],
  ['in May 2025', '2025-04-01', ['2025-5']],
  ['at 5 am', '17:00', ['5:00']],
  ['8時間', '8:30', ['8']],
  ['ERR-42', 'ERR-43', ['err-42']],
  ['一般 1', '一般的な規則', ['1']],
  ['10 %', '1.0 %', ['10']],
];

describe('facts', () => {
  for (const [claim, evidence] of borneOut) {
    it(`${claim} ← ${evidence}`, () => assert.deepEqual(missing(claim, evidence), []));
  }
  for (const [claim, evidence, expected] of notBorneOut) {
    it(`${claim} ↚ ${evidence}`, () => assert.deepEqual(missing(claim, evidence), expected));
  }

  it('finds what is quoted', () => {
    assert.deepEqual(quotedWords('It says “keep the receipt.” and "pay … in cash", 「領収書」 or `npm ci`.'), [
      'keep the receipt',
      'pay',
      'in cash',
      '領収書',
      'npm ci',
    ]);
    assert.deepEqual(quotedWords("It's the employee's."), []);
  });
});
