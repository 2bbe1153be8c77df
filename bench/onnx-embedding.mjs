// ONNX embedding: texts a second and how far a vector depends on its neighbours, beside transformers.js called in batches
// (the way its documentation shows), with the same weights and threads in the same run.
//
//   node bench/onnx-embedding.mjs [--shared ../shared] [--texts 64] [--threads 2] [--models all-MiniLM-L6-v2,…]
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createOnnxEmbedder } from '@aquifer/models';

const { values } = parseArgs({
  options: {
    shared: { type: 'string', default: fileURLToPath(new URL('../../shared', import.meta.url)) },
    texts: { type: 'string', default: '64' },
    threads: { type: 'string', default: '2' },
    models: { type: 'string', default: 'all-MiniLM-L6-v2,multilingual-e5-small-en-ja' },
  },
});
const threads = Number(values.threads);
const tokensPerText = 200;
const { resolve } = createRequire(new URL('../package.json', import.meta.url));
const { env, pipeline } = await import(pathToFileURL(resolve('@huggingface/transformers')).href);
env.allowRemoteModels = false;

const cosine = (left, right) => left.reduce((sum, value, index) => sum + value * right[index], 0);

console.log('| model | way | texts/s | ratio | lowest cosine to the text alone |');
console.log('|---|---|---|---|---|');
for (const name of values.models.split(',')) {
  const model = join(values.shared, 'models', name);
  const isJapanese = name.includes('-ja');
  const file = join(values.shared, 'eval', isJapanese ? 'jaquad-dev' : 'squad-v2-dev-half', 'corpus.jsonl');
  const embedder = await createOnnxEmbedder({ model, threads });
  const cut = (text) => {
    let end = text.length;
    while (embedder.tokenCounter.count(text.slice(0, end)) > tokensPerText) end = Math.floor(end * 0.97);
    return text.slice(0, end);
  };
  const lines = readFileSync(file, 'utf8').trim().split('\n', Number(values.texts));
  const texts = lines.map((line) => cut(JSON.parse(line).text));
  await embedder.embed(['warm up'], { purpose: 'document' });
  let start = performance.now();
  const { vectors } = await embedder.embed(texts, { purpose: 'document' });
  const rate = texts.length / ((performance.now() - start) / 1000);
  console.log(`| ${name} | aquifer | ${rate.toFixed(1)} | 1.00 | 1 |`);
  await embedder.close();

  const extract = await pipeline('feature-extraction', model, {
    dtype: 'q8',
    session_options: { intraOpNumThreads: threads },
  });
  const inputs = texts.map((text) => (isJapanese ? `passage: ${text}` : text));
  const order = inputs.map((_, index) => index).sort((left, right) => inputs[left].length - inputs[right].length);
  await extract('warm up', { pooling: 'mean', normalize: true });
  for (const size of [4, 16, 32]) {
    let lowest = 1;
    start = performance.now();
    for (let from = 0; from < order.length; from += size) {
      const batch = order.slice(from, from + size);
      const output = (
        await extract(
          batch.map((index) => inputs[index]),
          { pooling: 'mean', normalize: true },
        )
      ).tolist();
      for (const [row, index] of batch.entries()) lowest = Math.min(lowest, cosine([...vectors[index]], output[row]));
    }
    const peer = texts.length / ((performance.now() - start) / 1000);
    console.log(
      `| ${name} | transformers.js, batches of ${size} by length | ${peer.toFixed(1)} | ${(peer / rate).toFixed(2)} | ${lowest.toFixed(4)} |`,
    );
  }
  await extract.dispose();
}
