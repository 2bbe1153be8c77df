import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type Embedder, isAquiferError } from '@aquifer/contracts';
import { embedderContract, type RelatedTexts, sharedFile } from '@aquifer/contracts/testing';
import { createOnnxEmbedder } from './onnx-embedder.js';

const shared = (name: string): { readonly path: string; readonly skip?: string } =>
  sharedFile(`models/${name}`, import.meta.url, process.env.AQUIFER_SHARED);

function cosine(left: Float32Array, right: Float32Array): number {
  let dot = 0;
  let squares = 0;
  let otherSquares = 0;
  for (const [index, value] of left.entries()) {
    dot += value * right[index]!;
    squares += value * value;
    otherSquares += right[index]! ** 2;
  }
  return dot / Math.sqrt(squares * otherSquares);
}

const folders: string[] = [];
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-onnx-'));
  folders.push(folder);
  return folder;
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A writable copy of a model folder under a name of its own. */
function copyOf(model: string, name: string): string {
  const folder = join(temporaryFolder(), name);
  mkdirSync(folder);
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx']) {
    cpSync(join(model, file), join(folder, file), { recursive: true });
  }
  return folder;
}

const japanesePairs: readonly RelatedTexts[] = [
  {
    question: '育児休業は何週間ですか。',
    related: '育児休業は52週間とし、開始の1か月前までに申し出る。',
    unrelated: '2階のプリンターは紙が切れています。',
  },
];
const models: readonly { readonly name: string; readonly pairs?: readonly RelatedTexts[] }[] = [
  { name: 'all-MiniLM-L6-v2' },
  { name: 'multilingual-e5-small-en-ja', pairs: japanesePairs },
  { name: 'potion-base-2M' },
];
for (const { name, ...more } of models) {
  const { path: model, ...skip } = shared(name);
  const create = (): Promise<Embedder> => createOnnxEmbedder({ model });
  embedderContract({ describe, it }, { name: `onnx ${name}`, create, batchTolerance: 0, ...more, ...skip });
}

const miniLm = shared('all-MiniLM-L6-v2');

describe('onnx embedder: all-MiniLM-L6-v2', miniLm.skip === undefined ? {} : { skip: miniLm.skip }, () => {
  let created: Promise<Embedder> | undefined;
  const embedder = (): Promise<Embedder> => {
    created ??= createOnnxEmbedder({ model: miniLm.path });
    return created;
  };
  after(async () => (await created)?.close?.());

  it('describes the model', async () => {
    const { fingerprint, dimensions, maxInputTokens, fusionWeight } = await embedder();
    assert.equal(dimensions, 384);
    assert.equal(maxInputTokens, 256);
    assert.equal(fusionWeight, 0.55);
    const { revision, ...rest } = fingerprint;
    assert.deepEqual(rest, { provider: 'onnx', model: 'all-MiniLM-L6-v2', dimensions: 384, normalised: true });
    assert.match(revision!, /^[0-9a-f]{16}$/);
  });

  it('gives the cosines that the model is known for', async () => {
    const model = await embedder();
    const [question] = (await model.embed(['How do I reset my password?'], { purpose: 'query' })).vectors;
    const texts = ['Steps to recover access to your account', 'The weather is nice today'];
    const [related, unrelated] = (await model.embed(texts, { purpose: 'document' })).vectors;
    assert.ok(Math.abs(cosine(question!, related!) - 0.6) < 0.02);
    assert.ok(Math.abs(cosine(question!, unrelated!) + 0.03) < 0.02);
  });

  it('gives a text the same vector alone and among others, bit by bit, with any number of threads', async () => {
    const model = await embedder();
    const texts = Array.from(
      { length: 40 },
      (_, index) => `Text ${index} says ${'something more '.repeat(index % 9)}.`,
    );
    const together = await model.embed(texts, { purpose: 'document' });
    const single = await createOnnxEmbedder({ model: miniLm.path, threads: 1 });
    for (const [index, text] of texts.entries()) {
      const alone = await single.embed([text], { purpose: 'document' });
      assert.deepEqual(alone.vectors[0], together.vectors[index]);
    }
    await single.close?.();
  });

  it('counts tokens as the model takes them', async () => {
    const model = await embedder();
    const texts = ['', 'one', 'Café 東京 x-amz-id-2', 'a'.repeat(5000)];
    const { tokens } = await model.embed(texts, { purpose: 'document' });
    assert.deepEqual(
      tokens,
      texts.map((text) => model.tokenCounter!.count(text)),
    );
  });

  it('takes a text of exactly the limit and refuses one token more', async () => {
    const model = await embedder();
    const limit = `${'word '.repeat(model.maxInputTokens - 2)}`;
    assert.equal(model.tokenCounter?.count(limit), model.maxInputTokens);
    assert.deepEqual((await model.embed([limit], { purpose: 'document' })).tokens, [model.maxInputTokens]);
    await assert.rejects(model.embed(['fine', `${limit} more`], { purpose: 'document' }), (error) => {
      assert.ok(isAquiferError(error, 'too-large'));
      assert.match(error.message, /257 tokens and all-MiniLM-L6-v2 takes 256/);
      return true;
    });
  });

  it('answers while the event loop goes on', async () => {
    const model = await embedder();
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await model.embed(
      Array.from({ length: 8 }, () => 'word '.repeat(200)),
      { purpose: 'document' },
    );
    clearInterval(timer);
    assert.ok(turns > 5);
  });

  it('rejects with aborted, and works on', async () => {
    const model = await embedder();
    const controller = new AbortController();
    const pending = model.embed(
      Array.from({ length: 200 }, () => 'word '.repeat(200)),
      {
        purpose: 'document',
        signal: controller.signal,
      },
    );
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(pending, { code: 'aborted' });
    assert.equal((await model.embed(['still here'], { purpose: 'query' })).vectors.length, 1);
  });

  it('takes what the options say before what the table says', async () => {
    const traits = {
      queryPrefix: 'question: ',
      documentPrefix: 'text: ',
      pooling: 'cls',
      normalise: false,
      maxTokens: 20,
      fusionWeight: 0.7,
    } as const;
    const model = await createOnnxEmbedder({ model: miniLm.path, traits });
    assert.equal(model.maxInputTokens, 20);
    assert.equal(model.fusionWeight, 0.7);
    assert.equal(model.fingerprint.normalised, false);
    assert.notEqual(model.fingerprint.revision, (await embedder()).fingerprint.revision);
    const { vectors, tokens } = await model.embed(['hello'], { purpose: 'document' });
    assert.deepEqual(tokens, [5]);
    assert.ok(Math.abs(Math.hypot(...vectors[0]!) - 1) > 0.01);
    await model.close?.();
  });

  it('fails clearly where weights are damaged', async () => {
    const folder = copyOf(miniLm.path, 'damaged');
    const file = join(folder, 'onnx', 'model_quantized.onnx');
    rmSync(file);
    writeFileSync(file, readFileSync(join(miniLm.path, 'onnx', 'model_quantized.onnx')).subarray(0, 100_000));
    const model = await createOnnxEmbedder({ model: folder });
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(model.embed(['x'], { purpose: 'query' }), {
        code: 'model-failed',
        message: /damaged could not be loaded/,
      });
    }
    await model.close?.();
  });

  it('fails clearly where config.json lies about the dimensions', async () => {
    const folder = copyOf(miniLm.path, 'other');
    rmSync(join(folder, 'config.json'));
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ model_type: 'bert', hidden_size: 768 }));
    const model = await createOnnxEmbedder({ model: folder });
    await assert.rejects(model.embed(['x'], { purpose: 'query' }), {
      code: 'model-failed',
      message: /384 numbers.*says 768/,
    });
    await model.close?.();
  });
});

const e5 = shared('multilingual-e5-small-en-ja');

describe('onnx embedder: multilingual-e5-small', e5.skip === undefined ? {} : { skip: e5.skip }, () => {
  it('ranks Japanese passages, with its prefixes counted', async () => {
    const model = await createOnnxEmbedder({ model: e5.path });
    assert.ok(model.maxInputTokens <= 512 && model.maxInputTokens >= 505);
    const [question] = (await model.embed(['育児休業は何週間取れますか。'], { purpose: 'query' })).vectors;
    const passages = [
      '日本の社員は、52週間の育児休業を取得できる。',
      '今日は天気がよいので散歩に行く。',
      'サーバーの証明書を更新する。',
    ];
    const { vectors, tokens } = await model.embed(passages, { purpose: 'document' });
    const cosines = vectors.map((vector) => cosine(question!, vector));
    assert.equal(cosines.indexOf(Math.max(...cosines)), 0);
    assert.deepEqual(
      tokens,
      passages.map((text) => model.tokenCounter!.count(text)),
    );
    // The text that is just short enough as a document is so as a question.
    let longest = '休'.repeat(20);
    while (model.tokenCounter!.count(`${longest}休業。`) <= model.maxInputTokens) longest += '休業。';
    for (const purpose of ['query', 'document'] as const) {
      assert.equal((await model.embed([longest], { purpose })).vectors.length, 1);
    }
    await model.close?.();
  });
});

const runFile = promisify(execFile);
const potion = shared('potion-base-2M');

describe('onnx embedder: model folders and the hub', potion.skip === undefined ? {} : { skip: potion.skip }, () => {
  it('gives every text a direction, also one without a token', async () => {
    const model = await createOnnxEmbedder({ model: potion.path });
    const { vectors, tokens } = await model.embed(['', '😀', 'words'], { purpose: 'document' });
    for (const vector of vectors) assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-5);
    assert.equal(tokens[0], 0);
    await model.close?.();
  });

  it('keeps a process alive while texts are embedded, and no longer', async () => {
    const program = `import { createOnnxEmbedder } from ${JSON.stringify(new URL('./onnx-embedder.js', import.meta.url).href)};
      const embedder = await createOnnxEmbedder({ model: ${JSON.stringify(potion.path)} });
      embedder.embed(['words'], { purpose: 'query' }).then(({ vectors }) => console.log(vectors.length));`;
    const options = { timeout: 600_000 };
    const { stdout } = await runFile(process.execPath, ['--input-type=module', '--eval', program], options);
    assert.equal(stdout.trim(), '1');
  });

  it('names a model by its folder, wherever that is', async () => {
    const one = await createOnnxEmbedder({ model: copyOf(potion.path, 'same-name') });
    const two = await createOnnxEmbedder({ model: copyOf(potion.path, 'same-name') });
    assert.deepEqual(one.fingerprint, two.fingerprint);
    await Promise.all([one.close?.(), two.close?.()]);
  });

  it('reads the files of sentence-transformers in a folder', async () => {
    const folder = copyOf(potion.path, 'unknown-model');
    mkdirSync(join(folder, '1_Pooling'));
    writeFileSync(join(folder, '1_Pooling', 'config.json'), JSON.stringify({ pooling_mode_cls_token: true }));
    writeFileSync(join(folder, 'sentence_bert_config.json'), JSON.stringify({ max_seq_length: 64 }));
    const prompts = { query: 'find: ', document: '' };
    writeFileSync(join(folder, 'config_sentence_transformers.json'), JSON.stringify({ prompts }));
    const model = await createOnnxEmbedder({ model: folder });
    // Two tokens of "find: " are kept free for questions.
    assert.equal(model.maxInputTokens, 62);
    const [query] = (await model.embed(['dog'], { purpose: 'query' })).vectors;
    const [document, find] = (await model.embed(['dog', 'find'], { purpose: 'document' })).vectors;
    assert.ok(cosine(query!, find!) > 0.999, 'the first token decides');
    assert.ok(cosine(query!, document!) < 0.9);
    await model.close?.();
  });

  it('says what is missing in a folder', async () => {
    const empty = temporaryFolder();
    await assert.rejects(createOnnxEmbedder({ model: join(empty, 'nowhere') }), {
      code: 'model-not-found',
      message: /no model folder/,
    });
    await assert.rejects(createOnnxEmbedder({ model: empty }), { code: 'model-not-found', message: /no config\.json/ });
    const folder = copyOf(potion.path, 'partial');
    rmSync(join(folder, 'onnx'), { recursive: true });
    await assert.rejects(createOnnxEmbedder({ model: folder }), {
      code: 'model-not-found',
      message: /onnx\/model_quantized\.onnx, onnx\/model\.onnx/,
    });
    rmSync(join(folder, 'tokenizer.json'));
    await assert.rejects(createOnnxEmbedder({ model: folder }), {
      code: 'model-not-found',
      message: /no tokenizer\.json/,
    });
    await assert.rejects(createOnnxEmbedder({ model: ' ' }), { code: 'model-not-found' });
    await assert.rejects(createOnnxEmbedder({ model: potion.path, threads: 0 }), { code: 'invalid-options' });
  });

  it('fetches a hub id once, and never a folder', async () => {
    const requests: string[] = [];
    const server = await serve((path) => {
      requests.push(path);
      const file = /^\/example\/tiny\/resolve\/main\/(.*)$/.exec(path)?.[1];
      try {
        return file === undefined ? undefined : readFileSync(join(potion.path, file));
      } catch {
        return undefined;
      }
    });
    const cacheFolder = temporaryFolder();
    const options = { model: 'example/tiny', cacheFolder, hubUrl: server.url };
    await assert.rejects(createOnnxEmbedder({ ...options, download: false }), {
      code: 'model-not-found',
      message: /switched off/,
    });
    await assert.rejects(createOnnxEmbedder({ ...options, model: 'example/none' }), {
      code: 'model-not-found',
      message: /neither a folder here nor on the hub/,
    });
    assert.deepEqual(requests, ['/example/none/resolve/main/config.json']);
    const model = await createOnnxEmbedder(options);
    assert.equal(model.fingerprint.model, 'example/tiny');
    assert.equal((await model.embed(['words'], { purpose: 'query' })).vectors[0]?.length, 64);
    await model.close?.();
    server.close();
    const again = await createOnnxEmbedder(options);
    assert.deepEqual(again.fingerprint, model.fingerprint);
    await again.close?.();
    await assert.rejects(createOnnxEmbedder({ ...options, model: 'example/other' }), (error) => {
      assert.ok(isAquiferError(error, 'model-failed'));
      assert.equal(error.retryable, true);
      return true;
    });
  });
});

async function serve(read: (path: string) => Buffer | undefined): Promise<{ readonly url: string; close(): void }> {
  const server: Server = createServer((request, response) => {
    const body = read(request.url ?? '');
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
