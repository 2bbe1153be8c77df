import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isAquiferError, type Reranker } from '@aquifer/contracts';
import { rerankerContract, sharedFile } from '@aquifer/contracts/testing';
import { overlapCrossEncoder } from '../testing/overlap-cross-encoder.js';
import { createOnnxReranker, type OnnxRerankerOptions } from './onnx-reranker.js';

const shared = (name: string) => sharedFile(`models/${name}`, import.meta.url, process.env.AQUIFER_SHARED);
const miniLm = shared('all-MiniLM-L6-v2');
const e5 = shared('multilingual-e5-small-en-ja');

const folders: string[] = [];
const rerankers: Reranker[] = [];
after(async () => {
  await Promise.all(rerankers.map((reranker) => reranker.close?.()));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface FolderContent {
  /** Whose tokenizer it has. */
  readonly tokenizerOf?: string;
  readonly weights?: Uint8Array;
  readonly config?: object;
}

/** A model folder with the small cross-encoder, which counts equal tokens: logit = 0.25 × pairs − 2, and [SEP] makes one pair. */
function crossEncoderFolder({ tokenizerOf = miniLm.path, weights, config }: FolderContent = {}): string {
  const parent = mkdtempSync(join(tmpdir(), 'aquifer-reranker-'));
  folders.push(parent);
  const folder = join(parent, 'overlap');
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) cpSync(join(tokenizerOf, file), join(folder, file));
  writeFileSync(join(folder, 'onnx', 'model.onnx'), weights ?? overlapCrossEncoder());
  const bert = { model_type: 'bert', architectures: ['BertForSequenceClassification'], max_position_embeddings: 64 };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...bert, id2label: { 0: 'LABEL_0' }, ...config }));
  return folder;
}

async function open(content?: FolderContent, options: Partial<OnnxRerankerOptions> = {}): Promise<Reranker> {
  const reranker = await createOnnxReranker({ model: crossEncoderFolder(content), ...options });
  rerankers.push(reranker);
  return reranker;
}

function score(pairs: number): number {
  return 1 / (1 + Math.exp(2 - 0.25 * pairs));
}

rerankerContract(
  { describe, it },
  {
    name: 'onnx',
    create: () => open(),
    ...(miniLm.skip !== undefined && { skip: miniLm.skip }),
  },
);

describe('onnx reranker', miniLm.skip === undefined ? {} : { skip: miniLm.skip }, () => {
  it('gives the sigmoid of what the model says about query and text together', async () => {
    const reranker = await open();
    assert.equal(reranker.id, 'onnx:overlap');
    const texts = ['nothing', 'one leave', 'leave leave leave policy', ''];
    const scores = await reranker.rerank('leave policy', texts);
    // The separator behind the query has an equal behind the text.
    for (const [index, pairs] of [1, 2, 5, 1].entries()) {
      assert.ok(
        Math.abs(scores[index]! - score(pairs)) < 1e-6,
        `${texts[index]}: ${scores[index]}, not ${score(pairs)}`,
      );
    }
  });

  it('scores a long text by its best part, wherever that is', async () => {
    const reranker = await open();
    const filler = (count: number) => 'weather '.repeat(count);
    const relevant = 'leave policy leave policy ';
    for (const text of [
      `${relevant}${filler(200)}`,
      `${filler(100)}${relevant}${filler(100)}`,
      `${filler(200)}${relevant}`,
    ]) {
      const [long, other] = await reranker.rerank('leave policy', [text, filler(204)]);
      assert.ok(long! >= score(3) && long! <= score(5) + 1e-6, `${long}`);
      assert.ok(Math.abs(other! - score(1)) < 1e-6);
    }
  });

  it('takes a text that just fits whole, and one token more in two halves', async () => {
    const reranker = await open();
    // 64 tokens: [CLS] leave [SEP] … [SEP]
    const fits = `leave ${'weather '.repeat(58)}leave`;
    const [whole, halves] = await reranker.rerank('leave', [fits, `${fits} weather`]);
    assert.ok(Math.abs(whole! - score(3)) < 1e-6);
    assert.ok(Math.abs(halves! - score(2)) < 1e-6);
  });

  it('refuses a query that leaves no room for a text', async () => {
    const reranker = await open();
    const query = 'leave '.repeat(60);
    await assert.rejects(reranker.rerank(query, ['short', 'weather '.repeat(40)]), (error) => {
      assert.ok(isAquiferError(error, 'too-large'));
      assert.match(error.message, /query has 60 tokens, and the reranker overlap takes 64/);
      return true;
    });
    assert.equal((await reranker.rerank('leave', ['short'])).length, 1);
  });

  it('takes fewer tokens where it is told to, never more', async () => {
    const text = `leave ${'weather '.repeat(40)}leave`;
    const scores: number[] = [];
    for (const maxTokens of [40, 1000])
      scores.push((await (await open({}, { maxTokens })).rerank('leave', [text]))[0]!);
    assert.ok(Math.abs(scores[0]! - score(2)) < 1e-6 && Math.abs(scores[1]! - score(3)) < 1e-6, `${scores}`);
  });

  it("puts two texts together as each model's tokenizer does", { skip: e5.skip }, async () => {
    // XLM-RoBERTa has no types: to this model everything belongs to the query.
    const reranker = await open({ tokenizerOf: e5.path, config: { model_type: 'xlm-roberta', pad_token_id: 1 } });
    const scores = await reranker.rerank('休業', ['休業', '天気', '休業'.repeat(200)]);
    for (const value of scores) assert.ok(Math.abs(value - score(0)) < 1e-6);
  });

  it('does not hold up the event loop, and ends when it is told to', async () => {
    const reranker = await open();
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await reranker.rerank('leave', new Array(100).fill('leave '.repeat(40)));
    clearInterval(timer);
    assert.ok(turns > 3);
    const pending = assert.rejects(reranker.rerank('leave', new Array(100).fill('weather')), { code: 'aborted' });
    await reranker.close?.();
    await pending;
  });

  it('says what is missing or wrong in a folder', async () => {
    await assert.rejects(createOnnxReranker({ model: '/no/such/folder' }), { code: 'model-not-found' });
    await assert.rejects(createOnnxReranker({ model: '' }), { code: 'model-not-found' });
    await assert.rejects(open({}, { threads: 0 }), { code: 'invalid-options' });
    await assert.rejects(open({ config: { id2label: { 0: 'negative', 1: 'positive' } } }), {
      code: 'model-failed',
      message: /tells 2 classes apart/,
    });
    const folder = crossEncoderFolder();
    rmSync(join(folder, 'onnx'), { recursive: true });
    await assert.rejects(createOnnxReranker({ model: folder }), { code: 'model-not-found', message: /has no weights/ });
  });

  it('says that weights are damaged or of another kind', async () => {
    const damaged = await open({ weights: overlapCrossEncoder().subarray(0, 100) });
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(damaged.rerank('q', ['t']), { code: 'model-failed', message: /could not be loaded/ });
    }
    const other = await open({ weights: overlapCrossEncoder('last_hidden_state') });
    await assert.rejects(other.rerank('q', ['t']), { code: 'model-failed', message: /no cross-encoder/ });
  });

  it('refuses an embedding model', async () => {
    const reranker = await createOnnxReranker({ model: miniLm.path });
    rerankers.push(reranker);
    await assert.rejects(reranker.rerank('q', ['t']), {
      code: 'model-failed',
      message: /gives no scores.*no cross-encoder/,
    });
  });
});
