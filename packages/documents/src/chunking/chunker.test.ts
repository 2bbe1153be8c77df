import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Block,
  type BlockKind,
  type Chunk,
  embeddedText,
  isAquiferError,
  type TokenCounter,
} from '@aquifer/contracts';
import { createSeededRandom, type SeededRandom } from '@aquifer/contracts/testing';
import { splitSentences } from '@aquifer/text-analysis';
import { get_encoding } from 'tiktoken';
import { createChunker } from './chunker.js';
import { createTiktokenCounter } from './tiktoken-counter.js';

const tokenCounter = await createTiktokenCounter();
const tiktoken = get_encoding('cl100k_base');

type Random = SeededRandom['below'];

interface Piece {
  readonly kind: BlockKind;
  readonly text: string;
  readonly level?: number;
  /** Table rows: how many pieces above the header row is. */
  readonly headerDistance?: number;
}

const english =
  'water river flood plain grows the a of slowly and every farmer measures it before winter comes again'.split(' ');
const japanese = [...'水川洪水平野農民測定冬春のがをにはとでもすなりるきたさいうかくけこれ'];
const odd = [
  '👨‍👩‍👧‍👦',
  'e\u0301\u0323',
  '🇯🇵🇫🇷',
  '\ud83d\udc4d🏽',
  'नमस्ते',
  '한국어',
  'ERR_TLS_CERT',
  '3.14',
  '\ud800',
  'https://example.org/a?b=c',
];

function sentence(random: Random): string {
  if (random(3) === 0) {
    return `${Array.from({ length: 8 + random(40) }, () => japanese[random(japanese.length)]).join('')}。`;
  }
  const list = Array.from({ length: 4 + random(20) }, () =>
    random(25) === 0 ? odd[random(odd.length)] : english[random(english.length)],
  );
  return `It ${list.join(' ')}. `;
}

function paragraph(random: Random, most = 9): Piece {
  const text = Array.from({ length: 1 + random(most) }, () => sentence(random)).join('');
  return { kind: 'paragraph', text: text.trim() };
}

function randomPieces(random: Random, count: number): Piece[] {
  const pieces: Piece[] = [];
  while (pieces.length < count) {
    const choice = random(12);
    if (choice < 2)
      pieces.push({
        kind: 'heading',
        level: 1 + random(4),
        text: sentence(random)
          .slice(0, 10 + random(30))
          .trim(),
      });
    else if (choice === 2) {
      for (let item = random(12); item >= 0; item -= 1)
        pieces.push({ ...paragraph(random, 2), kind: 'list-item', level: 1 + random(3) });
    } else if (choice === 3) {
      const rows = 1 + random(40);
      const width = 2 + random(5);
      for (let row = 0; row < rows; row += 1) {
        const cells = Array.from({ length: width }, () => `${english[random(english.length)]} ${random(1000)}`);
        pieces.push({ kind: 'table-row', text: cells.join('\t'), headerDistance: row });
      }
    } else if (choice === 4) {
      const lines = Array.from(
        { length: 1 + random(60) },
        () => `${' '.repeat(random(6))}let ${english[random(english.length)]} = ${random(99)};`,
      );
      pieces.push({ kind: 'code', text: lines.join(random(4) === 0 ? '\n\n' : '\n').trimEnd() });
    } else pieces.push(paragraph(random));
  }
  return pieces;
}

function assembleDocument(pieces: readonly Piece[]): { text: string; blocks: Block[]; pages: [] } {
  let text = '';
  const blocks: Block[] = [];
  for (const { kind, text: content, level, headerDistance } of pieces) {
    if (text !== '') text += kind === 'table-row' || kind === 'list-item' ? '\n' : '\n\n';
    const start = text.length;
    text += content;
    const header =
      headerDistance === undefined
        ? undefined
        : (blocks[blocks.length - headerDistance] ?? { start, end: text.length });
    blocks.push({
      kind,
      start,
      end: text.length,
      ...(level !== undefined && { level }),
      ...(header && { header: { start: header.start, end: header.end } }),
    });
  }
  return { text, blocks, pages: [] };
}

function plain(text: string) {
  return { text, blocks: [{ kind: 'paragraph' as const, start: 0, end: text.length }], pages: [] };
}

/** Everything that holds for the chunks of any document, with no overlap. */
function checkChunks(chunks: readonly Chunk[], text: string, maxTokens: number): void {
  let position = 0;
  for (const [ordinal, chunk] of chunks.entries()) {
    assert.equal(chunk.ordinal, ordinal);
    assert.ok(chunk.start >= position && chunk.end > chunk.start, 'in order');
    assert.equal(text.slice(position, chunk.start).trim(), '', 'nothing left out');
    assert.equal(chunk.text, text.slice(chunk.start, chunk.end));
    assert.match(chunk.text, /\S$/);
    assert.equal(chunk.tokens, tokenCounter.count(embeddedText(chunk)));
    assert.ok(chunk.tokens <= maxTokens, `${chunk.tokens} tokens`);
    const before = text.charCodeAt(chunk.start - 1);
    const after = text.charCodeAt(chunk.start);
    assert.ok(
      !(before >= 0xd800 && before < 0xdc00 && after >= 0xdc00 && after < 0xe000),
      'a surrogate pair is divided',
    );
    position = chunk.end;
  }
  assert.equal(text.slice(position).trim(), '', 'nothing left out at the end');
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, chunks.length, 'ids are unique');
}

function tiktokenBound(chunks: readonly Chunk[]): void {
  for (const chunk of chunks) assert.equal(tiktoken.encode_ordinary(embeddedText(chunk)).length, chunk.tokens);
}

function graphemeStarts(text: string): Set<number> {
  const starts = new Set<number>([text.length]);
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const to = newline < 0 ? text.length : newline + 1;
    for (const { index } of new Intl.Segmenter('und').segment(text.slice(from, to))) starts.add(from + index);
    from = to;
  }
  return starts;
}

function newChunks(before: readonly Chunk[], after: readonly Chunk[]): number {
  const known = new Set(before.map((chunk) => chunk.id));
  return after.filter((chunk) => !known.has(chunk.id)).length;
}

describe('chunks of random documents', () => {
  for (const maxTokens of [32, 64, 200, 512]) {
    it(`hold every character once, within ${maxTokens} tokens, and never cut a grapheme`, () => {
      const random = createSeededRandom(maxTokens).below;
      const chunker = createChunker({ tokenCounter, maxTokens });
      for (let round = 0; round < 12; round += 1) {
        const extracted = assembleDocument(randomPieces(random, 5 + random(80)));
        const input = { documentId: 'random', title: 'Random document', extracted };
        const chunks = chunker.chunk(input);
        checkChunks(chunks, extracted.text, maxTokens);
        tiktokenBound(chunks);
        assert.deepEqual(chunker.chunk(input), chunks);
        const starts = graphemeStarts(extracted.text);
        for (const chunk of chunks) {
          // The smallest chunks may be smaller than one family emoji.
          if (maxTokens >= 64) assert.ok(starts.has(chunk.start) && starts.has(chunk.end), JSON.stringify(chunk.text));
        }
      }
    });
  }

  it('are chunks of wrong blocks too: overlapping, outside the text, leaving text out', () => {
    const text = 'One two three.\n\nFour five six.\n\nSeven.';
    const blocks: Block[] = [
      { kind: 'paragraph', start: 4, end: 20 },
      { kind: 'heading', start: 10, end: 30, level: 99 },
      { kind: 'paragraph', start: 25, end: 9999 },
      { kind: 'code', start: -4, end: 2 },
    ];
    checkChunks(
      createChunker({ tokenCounter }).chunk({ documentId: 'd', title: '', extracted: { text, blocks, pages: [] } }),
      text,
      512,
    );
    checkChunks(
      createChunker({ tokenCounter }).chunk({ documentId: 'd', title: '', extracted: { text, blocks: [], pages: [] } }),
      text,
      512,
    );
  });
});

describe('an edit', () => {
  const chunker = createChunker({ tokenCounter, maxTokens: 256 });
  const chunk = (pieces: readonly Piece[]) =>
    chunker.chunk({ documentId: 'd', title: 'Document', extracted: assembleDocument(pieces) });
  const paragraphs = (random: Random, count: number) => Array.from({ length: count }, () => paragraph(random));

  it('at the top of 300 chunks of paragraphs changes at most two', () => {
    let most = 0;
    let single = 0;
    const rounds = 8;
    for (let seed = 1; seed <= rounds; seed += 1) {
      const random = createSeededRandom(seed).below;
      const pieces = paragraphs(random, 450);
      const before = chunk(pieces);
      assert.ok(before.length >= 300, `${before.length} chunks`);
      const changed = newChunks(before, chunk([paragraph(random), ...pieces]));
      most = Math.max(most, changed);
      if (changed === 1) single += 1;
    }
    assert.ok(most <= 2, `${most} chunks changed`);
    assert.ok(single > 0);
  });

  it('anywhere changes at most two chunks on average, with headings and without', () => {
    for (const structured of [false, true]) {
      const random = createSeededRandom(structured ? 11 : 12).below;
      let changed = 0;
      let edits = 0;
      for (let round = 0; round < 6; round += 1) {
        const pieces = structured ? randomPieces(random, 150) : paragraphs(random, 150);
        const before = chunk(pieces);
        for (let edit = 0; edit < 10; edit += 1) {
          const candidates = [...pieces.keys()].filter((index) => pieces[index]!.kind === 'paragraph');
          const at = candidates[random(candidates.length)]!;
          const kind = random(3);
          const edited = kind === 0 ? pieces.toSpliced(at, 1) : pieces.toSpliced(at, kind - 1, paragraph(random));
          changed += newChunks(before, chunk(edited));
          edits += 1;
        }
      }
      assert.ok(changed / edits <= 2, `${changed / edits} chunks on average, structured: ${structured}`);
    }
  });
});

describe('cuts', () => {
  it('fall at sentences in Japanese without line breaks', () => {
    const random = createSeededRandom(5).below;
    const sentences = Array.from({ length: 60 }, (_, index) => {
      const words = Array.from({ length: 10 + random(40) }, () => japanese[random(japanese.length)]).join('');
      return index % 5 === 0 ? `「${words}。」` : `${words}。`;
    });
    const text = sentences.join('');
    const ends = new Set(splitSentences(text).map(({ end }) => end));
    for (const maxTokens of [128, 256, 512]) {
      const chunks = createChunker({ tokenCounter, maxTokens }).chunk({
        documentId: 'd',
        title: '',
        extracted: plain(text),
      });
      assert.ok(chunks.length >= 3);
      for (const chunk of chunks) assert.ok(ends.has(chunk.end), chunk.text.slice(-20));
    }
  });

  it('keep sections apart, merge short ones, and name what they have in common', () => {
    const random = createSeededRandom(3).below;
    // Two of these do not fit into one chunk, or they would rightly share it.
    const long = () => ({
      kind: 'paragraph' as const,
      text: Array.from({ length: 14 }, () => sentence(random))
        .join('')
        .trim(),
    });
    const pieces: Piece[] = [
      { kind: 'heading', level: 1, text: 'Handbook' },
      { kind: 'heading', level: 2, text: 'Leave' },
      long(),
      { kind: 'heading', level: 2, text: 'Travel' },
      long(),
    ];
    const chunker = createChunker({ tokenCounter, maxTokens: 400 });
    const chunks = chunker.chunk({ documentId: 'd', title: 'Handbook', extracted: assembleDocument(pieces) });
    const paths = chunks.map((chunk) => chunk.headings.join(' / '));
    assert.deepEqual([...new Set(paths)], ['Handbook / Leave', 'Handbook / Travel']);
    assert.equal(chunks[0]!.context, 'Handbook\nLeave');

    const tiny: Piece[] = [{ kind: 'heading', level: 1, text: 'Glossary' }];
    for (let index = 0; index < 50; index += 1) {
      tiny.push(
        { kind: 'heading', level: 2, text: `Term ${index}` },
        { kind: 'paragraph', text: `It means ${index}.` },
      );
    }
    const merged = chunker.chunk({ documentId: 'd', title: 'Words', extracted: assembleDocument(tiny) });
    assert.ok(merged.length <= 5, `${merged.length} chunks`);
    for (const chunk of merged) {
      assert.deepEqual(chunk.headings, ['Glossary']);
      assert.equal(chunk.context, 'Words\nGlossary');
      assert.doesNotMatch(chunk.text, /Term \d+$/, 'a heading without its text');
    }
  });

  it('divide a table between rows and repeat its header row', () => {
    const rows: Piece[] = Array.from({ length: 120 }, (_, row) => ({
      kind: 'table-row' as const,
      text: row === 0 ? 'Year\tVisitors\tRevenue' : `${1900 + row}\t${row * 371}\t${row * 12}`,
      headerDistance: row,
    }));
    const extracted = assembleDocument([{ kind: 'paragraph', text: 'The figures follow:' }, ...rows]);
    const chunks = createChunker({ tokenCounter, maxTokens: 200 }).chunk({
      documentId: 'd',
      title: 'Figures',
      extracted,
    });
    checkChunks(chunks, extracted.text, 200);
    assert.ok(chunks.length > 5);
    for (const [index, chunk] of chunks.entries()) {
      assert.equal(chunk.tableHeader, index === 0 ? '' : 'Year\tVisitors\tRevenue');
      assert.match(chunk.text, index === 0 ? /^The figures follow:\n+Year\t/ : /^\d{4}\t\d+\t\d+\n/);
      assert.match(chunk.text, /\n\d{4}\t\d+\t\d+$/);
    }
  });

  it('keep the indentation of code', () => {
    const code = Array.from({ length: 80 }, (_, line) => `    call(${line});`)
      .join('\n')
      .trimStart();
    const extracted = assembleDocument([{ kind: 'code', text: code }]);
    const chunks = createChunker({ tokenCounter, maxTokens: 128 }).chunk({ documentId: 'd', title: '', extracted });
    for (const chunk of chunks.slice(1)) assert.match(chunk.text, /^ {4}call/);
  });

  it('report the pages that a chunk touches', () => {
    const random = createSeededRandom(9).below;
    const pieces = Array.from({ length: 30 }, () => paragraph(random));
    const { text, blocks } = assembleDocument(pieces);
    const half = blocks[15]!.start;
    const pages = [
      { page: 1, start: 0, end: half },
      { page: 2, start: half, end: text.length },
    ];
    const chunks = createChunker({ tokenCounter, maxTokens: 128 }).chunk({
      documentId: 'd',
      title: '',
      extracted: { text, blocks, pages },
    });
    for (const chunk of chunks) {
      assert.equal(chunk.pageStart, chunk.start < half ? 1 : 2);
      assert.equal(chunk.pageEnd, chunk.end > half ? 2 : 1);
    }
  });
});

describe('overlap', () => {
  it('repeats whole sentences of the chunk before, within the bounds', () => {
    const random = createSeededRandom(21).below;
    const extracted = assembleDocument(Array.from({ length: 40 }, () => paragraph(random)));
    const chunks = createChunker({ tokenCounter, maxTokens: 256, overlapTokens: 64 }).chunk({
      documentId: 'd',
      title: 'T',
      extracted,
    });
    const ends = new Set(splitSentences(extracted.text).map(({ end }) => end));
    let overlapping = 0;
    for (const [index, chunk] of chunks.entries()) {
      assert.ok(chunk.tokens <= 256);
      assert.equal(chunk.text, extracted.text.slice(chunk.start, chunk.end));
      const previous = chunks[index - 1];
      if (previous === undefined || chunk.start >= previous.end) continue;
      overlapping += 1;
      assert.ok(tokenCounter.count(extracted.text.slice(chunk.start, previous.end)) <= 64);
      assert.ok(ends.has(chunk.start), 'begins at a sentence');
    }
    assert.ok(overlapping > chunks.length / 2);
  });
});

describe('hostile text', () => {
  const size = 1_000_000;
  const random = createSeededRandom(77).below;
  const texts: Record<string, string> = {
    'one letter': 'a'.repeat(size),
    base64: Buffer.from(Uint8Array.from({ length: (size * 3) / 4 }, () => random(256))).toString('base64'),
    'minified JavaScript': Array.from({ length: size / 25 }, (_, index) => `function f${index}(a){return b}`)
      .join(';')
      .slice(0, size),
    'Japanese without punctuation': Array.from({ length: size }, () => japanese[random(japanese.length)]).join(''),
    'family emoji': '👨‍👩‍👧‍👦'.repeat(size / 40),
    flags: '🇯🇵'.repeat(size / 20),
    'one letter with accents': `a${'\u0301'.repeat(size / 10)}`,
    'white space': `a${' '.repeat(size)}b`,
    'lone surrogates': '\ud83d'.repeat(size / 10),
    'line breaks': 'a\n'.repeat(size / 10),
    'full stops': '.'.repeat(size),
  };
  for (const [name, text] of Object.entries(texts)) {
    it(`a megabyte of ${name}`, () => {
      const chunks = createChunker({ tokenCounter }).chunk({ documentId: 'd', title: 'T', extracted: plain(text) });
      checkChunks(chunks, text, 512);
      tiktokenBound([chunks[0]!, chunks[chunks.length >> 1]!, chunks.at(-1)!]);
      const joined = name === 'family emoji' ? 11 : name === 'flags' ? 4 : 1;
      for (const chunk of chunks) assert.equal((chunk.end - chunk.start) % joined, 0);
    });
  }

  it('a title, a heading and a header row of a megabyte', () => {
    const huge = 'word '.repeat(size / 5);
    const pieces: Piece[] = [
      { kind: 'heading', level: 1, text: huge.trim() },
      { kind: 'table-row', text: huge.trim(), headerDistance: 0 },
      { kind: 'table-row', text: 'one row', headerDistance: 1 },
    ];
    const extracted = assembleDocument(pieces);
    const chunks = createChunker({ tokenCounter, maxTokens: 128 }).chunk({ documentId: 'd', title: huge, extracted });
    checkChunks(chunks, extracted.text, 128);
    for (const chunk of chunks) assert.ok(tokenCounter.count(chunk.context) <= 32);
  });

  it('nothing but white space has no chunks', () => {
    for (const text of ['', ' ', '\n\n\t']) {
      assert.deepEqual(
        createChunker({ tokenCounter }).chunk({ documentId: 'd', title: 'T', extracted: plain(text) }),
        [],
      );
    }
  });
});

describe('other token counters', () => {
  it('that add special tokens are obeyed, and asked for about two passes', () => {
    let counted = 0;
    const words: TokenCounter = {
      id: 'words',
      count(text) {
        counted += text.length;
        return 2 + (text.match(/[\p{L}\p{N}]{1,5}|[^\s\p{L}\p{N}]/gu)?.length ?? 0);
      },
    };
    const random = createSeededRandom(31).below;
    const extracted = assembleDocument(randomPieces(random, 200));
    const chunker = createChunker({ tokenCounter: words, maxTokens: 128 });
    const chunks = chunker.chunk({ documentId: 'd', title: 'Title', extracted });
    for (const chunk of chunks) assert.ok(words.count(embeddedText(chunk)) <= 128);
    counted = 0;
    chunker.chunk({ documentId: 'd', title: 'Title', extracted });
    assert.ok(counted < 3 * extracted.text.length, `${counted / extracted.text.length} passes`);
  });
});

describe('options', () => {
  it('out of range are refused', () => {
    for (const options of [
      { maxTokens: 31 },
      { maxTokens: 64.5 },
      { maxTokens: Number.NaN },
      { overlapTokens: -1 },
      { overlapTokens: 300 },
    ]) {
      assert.throws(
        () => createChunker({ tokenCounter, ...options }),
        (error) => isAquiferError(error, 'invalid-options'),
      );
    }
  });

  it('are in the fingerprint', () => {
    assert.equal(createChunker({ tokenCounter }).fingerprint, 'aquifer-1 512 0 cl100k_base');
  });
});

describe('ids', () => {
  it('depend on document and embedded text, and differ for repeated text', () => {
    const text = `${'Same words again. '.repeat(30)}\n\n`.repeat(20);
    const extracted = { text, blocks: [], pages: [] };
    const chunker = createChunker({ tokenCounter, maxTokens: 140 });
    const first = chunker.chunk({ documentId: 'a', title: '', extracted });
    const second = chunker.chunk({ documentId: 'b', title: '', extracted });
    assert.ok(new Set(first.map((chunk) => chunk.text)).size < first.length);
    assert.equal(new Set([...first, ...second].map((chunk) => chunk.id)).size, first.length + second.length);
    for (const chunk of first) assert.match(chunk.id, /^[0-9a-f]{32}$/);
  });
});
