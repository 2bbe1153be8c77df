import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type EmbedPurpose, isAquiferError } from '@aquifer/contracts';
import { embedderContract, type RelatedTexts } from '@aquifer/contracts/testing';
import { type BuiltinEmbedderOptions, createBuiltinEmbedder } from './builtin-embedder.js';

const pairs: RelatedTexts[] = [
  {
    question: 'How long is parental leave?',
    related: 'Parental leave is 52 weeks. It is announced one month before it begins.',
    unrelated: 'The printer on the second floor is out of paper.',
  },
  {
    question: '育児休業は何日ですか',
    related: '育児休業の期間は最長で二年間です。',
    unrelated: 'プリンターの用紙がなくなりました。',
  },
  {
    question: 'Wie lange dauert die Elternzeit?',
    related: 'Die Elternzeit dauert höchstens drei Jahre.',
    unrelated: 'Der Drucker im zweiten Stock hat kein Papier mehr.',
  },
  {
    question: '육아휴직 기간',
    related: '육아휴직의 기간은 일 년입니다.',
    unrelated: '프린터 용지가 떨어졌습니다.',
  },
  {
    question: 'сколько длится отпуск по уходу за ребёнком',
    related: 'Отпуск по уходу за ребенком длится три года.',
    unrelated: 'В принтере на втором этаже нет бумаги.',
  },
];

for (const dimensions of [1536, 1024, 512, 256] as const) {
  embedderContract(
    { describe, it },
    { name: `builtin:${dimensions}`, create: () => createBuiltinEmbedder({ dimensions }), pairs },
  );
}

async function embedOne(text: string, purpose: EmbedPurpose, options?: BuiltinEmbedderOptions): Promise<Float32Array> {
  return (await createBuiltinEmbedder(options).embed([text], { purpose })).vectors[0]!;
}

function product(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

function normalised(vector: Float32Array): Float32Array {
  const length = Math.sqrt(product(vector, vector));
  return vector.map((value) => value / length);
}

describe('built-in embedder', () => {
  it('gives many texts the vectors that it gives single ones, and is cancelled in between', async () => {
    const texts = Array.from(
      { length: 600 },
      (_, number) => `Section ${number}\nEmployee ${number} has ${number % 52} weeks.`,
    );
    const embedder = createBuiltinEmbedder({ dimensions: 256 });
    // The first call is too short for a thread, and still at it when the second starts one.
    const purpose = 'document';
    const [some, many] = await Promise.all([
      embedder.embed(texts.slice(0, 256), { purpose }),
      embedder.embed(texts, { purpose }),
    ]);
    assert.deepEqual(some.vectors, many.vectors.slice(0, 256));
    for (const index of [0, 63, 64, 599]) {
      assert.deepEqual(many.vectors[index], await embedOne(texts[index]!, 'document', { dimensions: 256 }));
    }
    const [asked, wanted] = [await embedder.embed(texts, { purpose: 'query' }), texts[599]!];
    assert.deepEqual(asked.vectors[599], await embedOne(wanted, 'query', { dimensions: 256 }));
    const controller = new AbortController();
    const cancelled = embedder.embed(texts, { purpose: 'document', signal: controller.signal });
    controller.abort();
    await assert.rejects(cancelled, { code: 'aborted' });
    assert.deepEqual((await embedder.embed(texts, { purpose: 'document' })).vectors, many.vectors);
    await embedder.close?.();
    assert.deepEqual((await embedder.embed(texts, { purpose: 'document' })).tokens, many.tokens);
    await embedder.close?.();
  });

  it('makes short vectors that are the beginning of the long one, normalised', async () => {
    for (const text of ['Parental leave\nParental leave is 52 weeks.', '東京', 'x', '?!']) {
      for (const purpose of ['query', 'document'] as const) {
        const long = await embedOne(text, purpose, { dimensions: 1536 });
        for (const dimensions of [1024, 512, 256] as const) {
          const short = await embedOne(text, purpose, { dimensions });
          const prefix = normalised(long.slice(0, dimensions));
          for (const [index, value] of short.entries()) assert.ok(Math.abs(value - prefix[index]!) < 1e-6);
        }
      }
    }
  });

  it('has a vector for every single pair of characters in the shortest form, too', async () => {
    const texts = Array.from({ length: 5_000 }, (_, index) => String.fromCharCode(0x4e00 + index, 0x4e00 + index * 3));
    const { vectors } = await createBuiltinEmbedder({ dimensions: 256 }).embed(texts, { purpose: 'query' });
    for (const vector of vectors) assert.ok(Math.abs(product(vector, vector) - 1) < 1e-4);
  });

  it('finds a word by its other forms and with a typing error', async () => {
    const document = await embedOne('Reimbursement of travel expenses', 'document');
    const other = await embedOne('Replacement of broken laptops', 'document');
    for (const query of ['reimbursing', 'reimbursment', 'travelling', 'expence']) {
      const vector = await embedOne(query, 'query');
      assert.ok(product(vector, document) > product(vector, other) + 0.03, query);
    }
  });

  it('ignores case, width and accents', async () => {
    assert.deepEqual(await embedOne('ＣＡＦÉ ﾃｽﾄ', 'query'), await embedOne('cafe テスト', 'query'));
  });

  it('gives the words of a heading more weight', async () => {
    const query = await embedOne('leave', 'query');
    const inHeading = await embedOne(
      'Leave\nWeeks are counted from the first day after the month of birth.',
      'document',
    );
    const inText = await embedOne('Weeks\nLeave is counted from the first day after the month of birth.', 'document');
    assert.ok(product(query, inHeading) > product(query, inText));
  });

  it('gives texts without words vectors of their own', async () => {
    const texts = ['', ' ', '?', '!?', 'the', '\ud800'];
    const { vectors, tokens } = await createBuiltinEmbedder().embed(texts, { purpose: 'document' });
    for (const vector of vectors) assert.ok(Math.abs(product(vector, vector) - 1) < 1e-5);
    assert.deepEqual(tokens, [0, 0, 0, 0, 0, 0]);
  });

  it('counts the terms of the analyser as tokens', async () => {
    const { tokens } = await createBuiltinEmbedder().embed(['Title\nparental leaves in 東京都'], {
      purpose: 'document',
    });
    assert.deepEqual(tokens, [5]);
  });

  it('takes a megabyte of anything', async () => {
    const texts = ['a'.repeat(1e6), 'ab '.repeat(4e5), '漢字'.repeat(5e5), '\n'.repeat(1e6), 'a.'.repeat(5e5)];
    const { vectors } = await createBuiltinEmbedder().embed(texts, { purpose: 'document' });
    for (const vector of vectors) assert.ok(Math.abs(product(vector, vector) - 1) < 1e-4);
  });

  it('lets other work have its turn, and stops between two texts', async () => {
    const controller = new AbortController();
    const texts = Array.from({ length: 20_000 }, (_, index) => `text number ${index} of very many`.repeat(20));
    const embedding = createBuiltinEmbedder().embed(texts, { purpose: 'document', signal: controller.signal });
    setImmediate(() => controller.abort());
    await assert.rejects(embedding, (error) => isAquiferError(error, 'aborted'));
  });

  it('refuses other numbers of dimensions', () => {
    const dimensions = 300 as 256;
    assert.throws(
      () => createBuiltinEmbedder({ dimensions }),
      (error) => isAquiferError(error, 'invalid-options'),
    );
  });

  it('gives the numbers it gave before', async () => {
    const vector = await embedOne('Parental leave in 東京都', 'query');
    const largest = [...vector.entries()].sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]) || a[0] - b[0]).slice(0, 4);
    assert.deepEqual(
      largest.map(([index, value]) => [index, value.toFixed(4)]),
      [
        [332, '-0.2240'],
        [658, '0.2240'],
        [6, '-0.1725'],
        [62, '-0.1725'],
      ],
    );
  });
});
