// Chunking beside peers: speed, sentence-true cuts, and how many chunks an edit changes.
//
//   node bench/chunking.mjs            (the packages must be built)
//
// Texts: the retrieval sets in ../shared/eval or $AQUIFER_SHARED/eval where they are present, else generated.
// Times are CPU times of this process, the best of the rounds, each round with new counters, so that nothing is remembered.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createChunker, createTiktokenCounter } from '@aquifer/documents';
import { splitSentences } from '@aquifer/text-analysis';
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters';
import { MDocument } from '@mastra/rag';
import { get_encoding } from 'tiktoken';

const maxTokens = 512;
const rounds = 5;
const megabyte = 1_000_000;
const peer = get_encoding('cl100k_base');
const peerLength = (text) => peer.encode_ordinary(text).length;

/** Deterministic pseudo-random integers below `limit` (mulberry32). */
function randomIntegers(seed) {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

function sharedFolder() {
  if (process.env.AQUIFER_SHARED) return process.env.AQUIFER_SHARED;
  for (let folder = dirname(fileURLToPath(import.meta.url)); dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(join(folder, 'shared', 'eval'))) return join(folder, 'shared');
  }
  return undefined;
}

function corpusParagraphs(sets) {
  const folder = sharedFolder();
  const paths = sets.map((set) => join(folder ?? '', 'eval', set, 'corpus.jsonl'));
  if (folder === undefined || !paths.every((path) => existsSync(path))) return undefined;
  const lines = paths.flatMap((path) => readFileSync(path, 'utf8').split('\n'));
  return lines
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).text.trim())
    .filter((text) => text.length > 40);
}

function generatedParagraphs(letters, separator, end, random) {
  const word = () => Array.from({ length: 1 + random(7) }, () => letters[random(letters.length)]).join('');
  const vocabulary = Array.from({ length: 5000 }, word);
  const sentence = () => Array.from({ length: 8 + random(15) }, () => vocabulary[random(5000)]).join(separator) + end;
  return Array.from({ length: 1200 }, () => Array.from({ length: 3 + random(5) }, sentence).join(''));
}

const random = randomIntegers(1);
const english =
  corpusParagraphs(['squad-v2-dev-half', 'cranfield']) ?? generatedParagraphs([...'etaoinshrdlu'], ' ', '. ', random);
const japanese =
  corpusParagraphs(['jaquad-dev', 'jsquad-v1.3-valid'])?.map((text) => text.replace(/^.*\[SEP\]\s*/, '')) ??
  generatedParagraphs([...'水川洪平野農民測定冬春のがをにはとでもすなりる'], '', '。', random);

function cpuMs(action) {
  const before = process.cpuUsage();
  const result = action();
  const { user, system } = process.cpuUsage(before);
  return { result, ms: (user + system) / 1000 };
}

async function cpuMsAsync(action) {
  const before = process.cpuUsage();
  const result = await action();
  const { user, system } = process.cpuUsage(before);
  return { result, ms: (user + system) / 1000 };
}

const plain = (text) => ({ text, blocks: [], pages: [] });
const ours = async (limit = maxTokens) =>
  createChunker({ tokenCounter: await createTiktokenCounter(), maxTokens: limit });
async function mastra(text, limit) {
  // Mastra counts characters; a Japanese token is about one of them.
  const chunks = await MDocument.fromText(text).chunk({ strategy: 'recursive', maxSize: limit, overlap: 0 });
  return chunks.map((chunk) => chunk.text);
}

const langchain = (limit = maxTokens) =>
  new RecursiveCharacterTextSplitter({ chunkSize: limit, chunkOverlap: 0, lengthFunction: peerLength });

function table(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  console.log([line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n'), '\n');
}

async function speed(name, paragraphs) {
  const text = paragraphs.join('\n\n').slice(0, 600_000);
  const bytes = Buffer.byteLength(text);
  const best = { pass: Infinity, ours: Infinity, langchain: Infinity };
  let over = 0;
  for (let round = 0; round < rounds; round += 1) {
    best.pass = Math.min(best.pass, cpuMs(() => peerLength(text)).ms);
    const chunker = await ours();
    const chunked = cpuMs(() => chunker.chunk({ documentId: name, title: name, extracted: plain(text) }));
    best.ours = Math.min(best.ours, chunked.ms);
    over = chunked.result.filter(
      (chunk) => peerLength(`${chunk.context}\n${chunk.text}`) !== chunk.tokens || chunk.tokens > maxTokens,
    ).length;
    // One round is enough for what takes several times as long.
    if (round < 2) best.langchain = Math.min(best.langchain, (await cpuMsAsync(() => langchain().splitText(text))).ms);
  }
  const rate = (ms) => (bytes / megabyte / (ms / 1000)).toFixed(2);
  return [
    [name, 'one plain tiktoken pass', rate(best.pass), '', ''],
    [
      name,
      `**Aquifer**, ${maxTokens} tokens, ${over} over or miscounted`,
      rate(best.ours),
      `${(best.langchain / best.ours).toFixed(1)} ×`,
      `${Math.round((100 * best.pass) / best.ours)} %`,
    ],
    [
      name,
      'LangChain recursive, tiktoken length',
      rate(best.langchain),
      '1.0 ×',
      `${Math.round((100 * best.pass) / best.langchain)} %`,
    ],
  ];
}

async function sentenceCuts() {
  const sentences = [];
  for (const paragraph of japanese) {
    for (const { start, end } of splitSentences(paragraph)) {
      const sentence = paragraph.slice(start, end).trim();
      if (/。」?$/.test(sentence) && sentence.length > 15 && !sentence.includes('\n')) sentences.push(sentence);
    }
    if (sentences.length >= 60) break;
  }
  const text = sentences.slice(0, 60).join('');
  const share = (pieces) => {
    const atEnd = pieces.filter((piece) => /[。！？][」』）]*$/.test(piece.trim())).length;
    return [`${Math.round((100 * atEnd) / pieces.length)} %`, pieces.length];
  };
  const rows = [];
  for (const limit of [128, 256, 512]) {
    const chunks = (await ours(limit)).chunk({ documentId: 'd', title: '', extracted: plain(text) });
    rows.push(['**Aquifer**', limit, ...share(chunks.map((chunk) => chunk.text))]);
    rows.push(['LangChain recursive', limit, ...share(await langchain(limit).splitText(text))]);
    rows.push(['Mastra recursive', limit, ...share(await mastra(text, limit))]);
  }
  return rows;
}

async function editLocality() {
  const rows = [];
  for (const [name, paragraphs] of [
    ['English', english],
    ['Japanese', japanese],
  ]) {
    const pick = randomIntegers(7);
    const chunker = await ours(256);
    const chunkTexts = (pieces) =>
      chunker
        .chunk({ documentId: 'd', title: 'Report', extracted: plain(pieces.join('\n\n')) })
        .map((chunk) => chunk.id);
    const splitter = langchain(256);
    const short = paragraphs
      .flatMap((text) => text.split(/\n+/))
      .filter((text) => text.length > 40 && peerLength(text) < 200);
    const changed = { ours: [], langchain: [] };
    let chunkCount = 0;
    for (let edit = 0; edit < 5; edit += 1) {
      const pieces = [];
      do {
        for (let count = 0; count < 20; count += 1) pieces.push(short[pick(short.length)]);
        chunkCount = chunkTexts(pieces).length;
      } while (chunkCount < 300);
      const edited = [short[pick(short.length)], ...pieces];
      const fresh = (before, after) => after.filter((chunk) => !before.has(chunk)).length;
      changed.ours.push(fresh(new Set(chunkTexts(pieces)), chunkTexts(edited)));
      if (edit < 2) {
        const before = new Set(await splitter.splitText(pieces.join('\n\n')));
        changed.langchain.push(fresh(before, await splitter.splitText(edited.join('\n\n'))));
      }
    }
    rows.push([name, '**Aquifer**', chunkCount, changed.ours.join(', ')]);
    rows.push([name, 'LangChain recursive', '', changed.langchain.join(', ')]);
  }
  return rows;
}

console.log(`Node ${process.version}; ${sharedFolder() ? 'retrieval sets' : 'generated text'}\n`);
table(
  ['text', 'what', 'MB/s', 'against LangChain', 'of a plain pass'],
  [...(await speed('English', english)), ...(await speed('Japanese', japanese))],
);
table(
  ['60 Japanese sentences, no line breaks', 'tokens', 'chunks that end at a sentence', 'chunks'],
  await sentenceCuts(),
);
table(['one paragraph inserted at the top', 'splitter', 'chunks', 'of them new, edit by edit'], await editLocality());
