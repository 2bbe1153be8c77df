// Keeping an index up to date: a first run, a run in which nothing changed, and one paragraph put at the top of a long
// document, beside LangChain's index() with the same splitting limits and the same embedder. LangChain writes to memory
// only, Aquifer to disk, vectors and keyword index included.
//
// Usage: node bench/reindex.mjs [files, default 10000]
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createChunker, createDocumentReader, createTiktokenCounter, parseSidecar } from '@aquifer/documents';
import { createFolderSource, createIngestor } from '@aquifer/ingestion';
import { openLocalStore } from '@aquifer/local-store';
import { createBuiltinEmbedder } from '@aquifer/models';
import { createAnalyser } from '@aquifer/text-analysis';
import { Document } from '@langchain/core/documents';
import { Embeddings } from '@langchain/core/embeddings';
import { index, RecordManager } from '@langchain/core/indexing';
import { VectorStore } from '@langchain/core/vectorstores';
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters';

const fileCount = Number(process.argv[2] ?? 10_000);
const maxTokens = 400;
const paragraphs = 300;

const words = (
  'people may take leave after a year of work and ask for it early so that others can plan the office covers travel by ' +
  'train and one night in a hotel while meals are paid up to a daily limit receipts are kept for seven years and sent ' +
  'with the form in the month of the journey questions go to the team that wrote this page'
).split(' ');
let seed = 7;
const random = (below) => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return (seed >>> 8) % below;
};
const sentence = () => `${Array.from({ length: 8 + random(10) }, () => words[random(words.length)]).join(' ')}.`;
const paragraph = (sentences) => Array.from({ length: sentences }, sentence).join(' ');

const folder = mkdtempSync(join(tmpdir(), 'aquifer-bench-reindex-'));
const files = join(folder, 'files');
const long = join(folder, 'long');
const longFile = join(long, 'handbook.md');

const embedder = createBuiltinEmbedder();
const tokenCounter = embedder.tokenCounter ?? (await createTiktokenCounter());
let opened = 0;
let embedded = 0;

const countingEmbedder = {
  ...embedder,
  async embed(texts, options) {
    embedded += texts.length;
    return await embedder.embed(texts, options);
  },
};

/** Runs `work` and gives its time and what was opened and embedded meanwhile. */
async function measure(work) {
  opened = 0;
  embedded = 0;
  const startedAt = performance.now();
  await work();
  return { seconds: (performance.now() - startedAt) / 1_000, opened, embedded };
}

async function createAquifer() {
  const analyser = createAnalyser();
  const store = await openLocalStore({ location: join(folder, 'index'), analyser });
  const chunker = createChunker({ tokenCounter, maxTokens, overlapTokens: 0 });
  await store.writeManifest({
    schemaVersion: 1,
    knowledgeBase: { id: '0000000000', name: 'bench' },
    embedder: embedder.fingerprint,
    chunker: chunker.fingerprint,
    analyser: analyser.version,
    metric: 'cosine',
    createdAt: Date.now(),
  });
  const reader = createDocumentReader({});
  const ingestor = createIngestor({ store, reader, chunker, embedder: countingEmbedder });
  const counted = (source) => ({
    ...source,
    async *list(signal) {
      for await (const entry of source.list(signal)) {
        if ('omitted' in entry) yield entry;
        else {
          const read = (readSignal) => {
            opened += 1;
            return entry.read(readSignal);
          };
          yield { ...entry, read };
        }
      }
    },
  });
  const recognises = (name) => reader.mediaType(name) !== undefined;
  return {
    run: (root) => ingestor.run(counted(createFolderSource({ root, recognises, parseSidecar }))),
    async close() {
      await reader.close();
      await store.close();
    },
  };
}

class MemoryRecords extends RecordManager {
  records = new Map();
  async createSchema() {}
  async getTime() {
    return performance.now();
  }
  async update(keys, { groupIds = [] } = {}) {
    const updatedAt = await this.getTime();
    for (const [at, key] of keys.entries()) this.records.set(key, { group: groupIds[at] ?? null, updatedAt });
  }
  async exists(keys) {
    return keys.map((key) => this.records.has(key));
  }
  async listKeys({ before, after, groupIds, limit } = {}) {
    const matching = [...this.records].filter(
      ([, { group, updatedAt }]) =>
        (before === undefined || updatedAt < before) &&
        (after === undefined || updatedAt > after) &&
        (groupIds === undefined || groupIds.includes(group)),
    );
    return matching.slice(0, limit).map(([key]) => key);
  }
  async deleteKeys(keys) {
    for (const key of keys) this.records.delete(key);
  }
}

class BuiltinEmbeddings extends Embeddings {
  constructor() {
    super({});
  }
  async embedDocuments(texts) {
    return (await countingEmbedder.embed(texts, { purpose: 'document' })).vectors;
  }
  async embedQuery(text) {
    return (await countingEmbedder.embed([text], { purpose: 'query' })).vectors[0];
  }
}

class MemoryVectors extends VectorStore {
  entries = new Map();
  constructor() {
    super(new BuiltinEmbeddings(), {});
  }
  _vectorstoreType() {
    return 'memory';
  }
  async addDocuments(documents, { ids }) {
    const vectors = await this.embeddings.embedDocuments(documents.map(({ pageContent }) => pageContent));
    await this.addVectors(vectors, documents, { ids });
    return ids;
  }
  async addVectors(vectors, documents, { ids = documents.map(() => randomUUID()) } = {}) {
    for (const [at, document] of documents.entries()) this.entries.set(ids[at], { document, vector: vectors[at] });
  }
  async delete({ ids }) {
    for (const id of ids) this.entries.delete(id);
  }
  async similaritySearchVectorWithScore() {
    return [];
  }
}

function createLangChain(cleanup) {
  const splitter = new RecursiveCharacterTextSplitter({
    chunkSize: maxTokens,
    chunkOverlap: 0,
    lengthFunction: (text) => tokenCounter.count(text),
  });
  const recordManager = new MemoryRecords();
  const vectorStore = new MemoryVectors();
  return async (root) => {
    const documents = [];
    for (const name of readdirSync(root, { recursive: true })) {
      if (!name.endsWith('.md')) continue;
      opened += 1;
      documents.push(new Document({ pageContent: readFileSync(join(root, name), 'utf8'), metadata: { source: name } }));
    }
    const docsSource = await splitter.splitDocuments(documents);
    await index({ docsSource, recordManager, vectorStore, options: { cleanup, sourceIdKey: 'source' } });
  };
}

try {
  for (let file = 0; file < fileCount; file += 1) {
    const place = join(files, `${file % 100}`);
    if (file < 100) mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `page-${file}.md`), `# Page ${file}\n\n${paragraph(4)}\n\n${paragraph(4)}\n`);
  }
  mkdirSync(long);
  const text = Array.from({ length: paragraphs }, () => paragraph(20)).join('\n\n');
  writeFileSync(longFile, text);
  await sleep(100);

  const aquifer = await createAquifer();
  const first = await measure(() => aquifer.run(files));
  const unchanged = await measure(() => aquifer.run(files));
  const whole = await measure(() => aquifer.run(long));
  writeFileSync(longFile, `${paragraph(20)}\n\n${text}`);
  await sleep(100);
  const inserted = await measure(() => aquifer.run(long));
  await aquifer.close();

  const langChain = createLangChain('full');
  const peerFirst = await measure(() => langChain(files));
  const peerUnchanged = await measure(() => langChain(files));
  const peerInsertions = {};
  for (const cleanup of ['incremental', 'full']) {
    const run = createLangChain(cleanup);
    writeFileSync(longFile, text);
    const before = await measure(() => run(long));
    writeFileSync(longFile, `${paragraph(20)}\n\n${text}`);
    peerInsertions[cleanup] = { before, after: await measure(() => run(long)) };
  }

  const seconds = (value) => `${value.toFixed(2)} s`;
  const { incremental, full } = peerInsertions;
  console.log(`| ${fileCount} small Markdown files, built-in embedder, Node ${process.version} | Aquifer | LangChain index() |
|---|---|---|
| first run | ${seconds(first.seconds)}, ${Math.round(fileCount / first.seconds)} files/s | ${seconds(peerFirst.seconds)}, ${Math.round(fileCount / peerFirst.seconds)} files/s (in memory) |
| nothing changed: time | ${seconds(unchanged.seconds)} | ${seconds(peerUnchanged.seconds)} |
| nothing changed: files opened | ${unchanged.opened} | ${peerUnchanged.opened} |
| nothing changed: texts embedded | ${unchanged.embedded} | ${peerUnchanged.embedded} |
| one paragraph put at the top of a long document: chunks before | ${whole.embedded} | ${full.before.embedded} |
| texts embedded | ${inserted.embedded} | ${incremental.after.embedded} (cleanup incremental), ${full.after.embedded} (full) |`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
