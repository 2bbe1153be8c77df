import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { englishStem } from './english-stem.js';

/** What the description of the algorithm, and the reference implementation, give. */
const expected: Readonly<Record<string, string>> = {
  consigned: 'consign',
  consistency: 'consist',
  consolations: 'consol',
  conspiracies: 'conspiraci',
  knackeries: 'knackeri',
  knightly: 'knight',
  generate: 'generat',
  generously: 'generous',
  communism: 'communism',
  arsenal: 'arsenal',
  hopping: 'hop',
  hoping: 'hope',
  falling: 'fall',
  luxuriated: 'luxuri',
  agreed: 'agre',
  feed: 'feed',
  ties: 'tie',
  cries: 'cri',
  gas: 'gas',
  gaps: 'gap',
  kiwis: 'kiwi',
  say: 'say',
  cry: 'cri',
  by: 'by',
  youth: 'youth',
  boyish: 'boyish',
  flying: 'fli',
  dying: 'die',
  skies: 'sky',
  news: 'news',
  proceeds: 'proceed',
  relational: 'relat',
  conditional: 'condit',
  digitizer: 'digit',
  vietnamization: 'vietnam',
  operator: 'oper',
  hopefulness: 'hope',
  sensibiliti: 'sensibl',
  analogies: 'analog',
  electrical: 'electr',
  goodness: 'good',
  formative: 'format',
  replacement: 'replac',
  adoption: 'adopt',
  controlling: 'control',
  roll: 'roll',
  rate: 'rate',
};

describe('English stemmer', () => {
  it('stems as Porter2 does', () => {
    for (const [word, stem] of Object.entries(expected)) assert.equal(englishStem(word), stem, word);
  });

  it('leaves alone what is not a lower-case word of a to z', () => {
    for (const word of ['', 'a', 'is', 'Running', 'x86ing', 'été', '食べる', '\ud800s'])
      assert.equal(englishStem(word), word);
  });
});
