import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAnalyser } from './analyser.js';

const terms = (text: string): string[] => createAnalyser().terms(text);

describe('analyser', () => {
  it('pairs neighbouring words, and not what overlaps or repeats', () => {
    const analyser = createAnalyser();
    const pairs = (text: string) => analyser.pairs(analyser.terms(text));
    assert.deepEqual(pairs('the welfare office in town'), [
      ['welfar', 'offic'],
      ['offic', 'town'],
    ]);
    assert.deepEqual(pairs('office office 東京都 office'), []);
    assert.deepEqual(pairs(''), []);
  });

  it('stems English words and leaves out those that say nothing', () => {
    assert.deepEqual(terms('The relational tables of parental leaves, and what they are for'), [
      'relat',
      'tabl',
      'parent',
      'leav',
    ]);
  });

  it('repeats terms as often as the text says them, in order', () => {
    assert.deepEqual(terms('Leave? Paid leave. Leaves!'), ['leav', 'paid', 'leav', 'leav']);
  });

  it('keeps identifiers whole as well as in parts', () => {
    assert.deepEqual(terms('ERR_TLS_CERT_ALTNAME_INVALID'), [
      'err_tls_cert_altname_invalid',
      'err',
      'tls',
      'cert',
      'altnam',
      'invalid',
    ]);
    assert.deepEqual(terms('x-amz-id-2'), ['x-amz-id-2', 'x', 'amz', 'id', '2']);
    assert.deepEqual(terms('foo.bar_baz'), ['foo.bar_baz', 'foo', 'bar', 'baz']);
    assert.deepEqual(terms('v1.2.3'), ['v1.2.3', 'v1', '2', '3']);
    assert.deepEqual(terms('ada@example.com'), ['ada@example.com', 'ada', 'exampl', 'com']);
  });

  it('takes punctuation at the ends of words for punctuation', () => {
    assert.deepEqual(terms('(end). -next- __init__ "cat."'), ['end', 'next', 'init', 'cat']);
  });

  it('indexes words that hyphens put together in parts', () => {
    assert.deepEqual(terms('state-of-the-art'), ['state', 'art']);
    assert.deepEqual(terms('Kerry Saxby-Junna'), ['kerri', 'saxbi', 'junna']);
  });

  it('reads numbers with and without separators as the same', () => {
    assert.deepEqual(terms('1,234'), terms('1234'));
    assert.deepEqual(terms('1,234,567.89'), ['1234567.89']);
    assert.deepEqual(terms('1,2,3'), ['1', '2', '3']);
    assert.deepEqual(terms('１２３４'), ['1234']);
  });

  it('keeps dates and times whole as well as in parts, however they are written', () => {
    assert.deepEqual(terms('2025-04-01'), ['2025-04-01', '2025', '04', '01']);
    assert.deepEqual(terms('2025/04/01'), terms('2025-04-01'));
    assert.deepEqual(terms('10:30'), ['10:30', '10', '30']);
  });

  it('writes initials as one word', () => {
    assert.deepEqual(terms('U.S.A. and U.K.'), ['usa', 'uk']);
  });

  it('cuts off possessives and contractions', () => {
    assert.deepEqual(terms("the company's and the company’s"), ['compani', 'compani']);
    assert.deepEqual(terms("O'Neil's l'école"), ['o', 'neil', 'l', 'ecol']);
  });

  it('makes overlapping pairs of characters of scripts without spaces, and of Korean', () => {
    assert.deepEqual(terms('東京都の税'), ['東京', '京都', '都の', 'の税']);
    assert.deepEqual(terms('税、人'), ['税', '人']);
    assert.deepEqual(terms('コーヒー'), ['コー', 'ーヒ', 'ヒー']);
    assert.deepEqual(terms('한국어'), ['한국', '국어']);
    assert.deepEqual(terms('ไทย'), ['ไท', 'ทย']);
    assert.deepEqual(terms('𠮷野家'), ['𠮷野', '野家']);
  });

  it('keeps scripts apart where they meet', () => {
    assert.deepEqual(terms('JR東日本のWi-Fi2025年'), ['jr', '東日', '日本', '本の', 'wi-fi2025', 'wi', 'fi2025', '年']);
  });

  it('folds width, case and compatibility forms', () => {
    assert.deepEqual(terms('ﾃｽﾄ ＡＢＣ ﬁle'), ['テス', 'スト', 'abc', 'file']);
    assert.deepEqual(terms('ΣΊΣΥΦΟΣ'), terms('σίσυφος'));
  });

  it('folds accents of Latin and Greek letters, and leaves other scripts their letters', () => {
    assert.deepEqual(terms('Café naïve Łódź Straße Ærø Ελλάδα'), ['cafe', 'naiv', 'lodz', 'strass', 'aero', 'ελλαδα']);
    assert.deepEqual(terms('cafe\u0301'), ['cafe']);
    assert.deepEqual(terms('й'), ['й']);
    assert.deepEqual(terms('が'), ['が']);
  });

  it('sees through soft hyphens and zero-width characters', () => {
    assert.deepEqual(terms('par\u00adent\u200bal'), ['parent']);
  });

  it('knows a run without spaces by its beginning', () => {
    const [term, ...rest] = terms('q'.repeat(100_000));
    assert.equal(term, 'q'.repeat(64));
    assert.deepEqual(rest, []);
  });

  it('gives the same terms with warm and cold caches', () => {
    const analyser = createAnalyser();
    const words = Array.from({ length: 120_000 }, (_, index) => `w${index.toString(26).replace(/\d/g, 'x')}ing`);
    analyser.terms(words.join(' '));
    for (const word of [words[0]!, words[60_000]!, words.at(-1)!]) {
      assert.deepEqual(analyser.terms(word), terms(word));
    }
  });

  it('never puts white space, quotes or control characters into a term, whatever the text', () => {
    const analyser = createAnalyser();
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state % below;
    };
    for (let round = 0; round < 300; round++) {
      const units = Array.from({ length: 200 }, () => (random(3) === 0 ? random(128) : random(0x10000)));
      for (const term of analyser.terms(String.fromCharCode(...units))) {
        assert.match(term, /^[^\s"\p{Cc}\p{Cs}]+$/u);
      }
    }
  });

  it('survives texts made to break it', () => {
    const analyser = createAnalyser();
    const hostile = [
      'a.'.repeat(5e5),
      "a'".repeat(5e5),
      '1,'.repeat(5e5),
      '-_.'.repeat(3e5),
      `b${'\u0301\u0316'.repeat(5e5)}`,
      '\ufdfa'.repeat(1e5),
      '\ud800'.repeat(1e6),
      '漢'.repeat(1e6),
      '\0'.repeat(1e6),
    ];
    assert.deepEqual(
      hostile.map((text) => analyser.terms(text).length),
      [0, 0, 500_000, 0, 1, 300_001, 0, 999_999, 0],
    );
  });
});
