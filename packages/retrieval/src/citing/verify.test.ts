import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAnalyser } from '@aquifer/text-analysis';
import { evidenceOf, verifyClaim } from './verify.js';

const analyser = createAnalyser();
const evidence = (text: string, title = 'Leave policy 2025') =>
  evidenceOf(
    {
      number: 1,
      documentId: 'd',
      source: 'd.md',
      title,
      headings: ['Japan'],
      start: 0,
      end: text.length,
      text,
      tableHeader: '',
    },
    analyser,
  );
const verify = (claim: string, ...texts: string[]) =>
  verifyClaim(
    claim,
    texts.map((text) => evidence(text)),
    analyser,
  );

const leave = 'Full-time employees may take 52 weeks of parental leave from 1 April 2025.';

describe('verifyClaim', () => {
  it('accepts a paraphrase that keeps the facts', () => {
    assert.deepEqual(verify('Parents who work full-time can take 52 weeks of leave.', leave).verified, [true]);
    assert.deepEqual(verify('In 2025, employees in Japan get 52 weeks of leave', leave).verified, [true]);
  });

  it('refuses a changed number, date or quotation', () => {
    assert.deepEqual(verify('Full-time employees may take 53 weeks of parental leave.', leave), {
      missing: ['53'],
      verified: [false],
    });
    assert.deepEqual(verify('Employees may take parental leave from 1 May 2025.', leave).missing, ['2025-5-1']);
    assert.deepEqual(verify('Employees “must take” 52 weeks of parental leave.', leave).missing, ['must take']);
  });

  it('takes no part of a number for the number', () => {
    for (const text of ['They get 152 weeks.', 'They get 0.52 weeks.', 'They get 52,000 weeks.']) {
      const claim = text.includes(',') ? 'They get 52' : '52 weeks.';
      assert.deepEqual(verify(claim, text), { missing: ['52'], verified: [false] }, text);
    }
    assert.deepEqual(verify('See ERR-4.', 'See ERR-42.').missing, ['err-4']);
    assert.deepEqual(verify('It says “7 days”.', 'It says 17 days.').missing, ['7', '7 days']);
  });

  it('refuses a passage about something else', () => {
    assert.deepEqual(verify('Hotels are paid by the travel office.', leave).verified, [false]);
    assert.deepEqual(verify('Employees may take 52 weeks of leave.', leave, 'Trains are preferred.').verified, [
      true,
      false,
    ]);
  });

  it('lets passages that are cited together bear out a claim together', () => {
    const claim = 'Parental leave is 52 weeks and holiday leave 20 days.';
    assert.deepEqual(verify(claim, leave, 'Holiday leave is 20 days.').verified, [true, true]);
    assert.deepEqual(verify(claim, leave).verified, [false]);
  });

  it('checks an answer in another script by its facts', () => {
    assert.deepEqual(verify('育児休業は52週間です', leave).verified, [true]);
    assert.deepEqual(verify('育児休業は53週間です', leave).verified, [false]);
    assert.deepEqual(verify('育児休業があります', leave).verified, [false]);
  });
});
