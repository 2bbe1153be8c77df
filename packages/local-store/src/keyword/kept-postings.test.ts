import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DocumentWrite, Store } from '@aquifer/contracts';
import {
  type ChunkSketch,
  createSeededRandom,
  referenceKeywordSearch,
  type SeededRandom,
  sketchDocument,
  suiteAnalyser,
  suiteManifest,
} from '@aquifer/contracts/testing';
import { openLocalStore } from '../open-local-store.js';

const words = ['leave', 'parental', 'of', 'a', 'the', 'weeks', 'Zürich', '育休', "employee's", 'twelve'];
const queries = [
  'parental leave',
  'a leave of twelve weeks',
  'the the the employee',
  '育休 of Zürich',
  "employee's a a",
];

describe('postings that are kept', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-kept-postings-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const openPair = async (name: string): Promise<{ writer: Store; reader: Store }> => {
    const options = { location: join(folder, name), analyser: suiteAnalyser, ownThreads: false };
    const writer = await openLocalStore(options);
    await writer.writeManifest(suiteManifest(4));
    return { writer, reader: await openLocalStore({ ...options, mode: 'read' }) };
  };
  const sketches = (random: SeededRandom, chunks: number): ChunkSketch[] => {
    const text = (most: number) =>
      Array.from({ length: random.below(most) }, () => random.pick(words)).join(' ') || random.pick(words);
    return Array.from({ length: chunks }, () => {
      const chunk = { text: text(30), context: random.below(2) === 0 ? '' : text(6) };
      return { ...chunk, id: `${chunk.context} / ${chunk.text} ${random.next()}` };
    });
  };
  const assertFindsAsReference = async (store: Store, documents: readonly DocumentWrite[], why: string) => {
    for (const text of queries) {
      const expected = referenceKeywordSearch(documents, text);
      const { matches } = await store.searchKeyword({ text, limit: 10_000 });
      const found = new Map(matches.map(({ chunkId, score }) => [chunkId, score]));
      assert.equal(found.size, expected.length, `${why}: ${text}`);
      for (const { chunkId, score } of expected) {
        const difference = Math.abs((found.get(chunkId) ?? Number.NaN) - score);
        assert.ok(difference < 1e-9 * score, `${why}: ${text}: ${chunkId} has ${found.get(chunkId)}, not ${score}`);
      }
    }
  };

  it('follow every commit: documents that are added, replaced and deleted, and commits that change no chunk', async () => {
    const { writer, reader } = await openPair('changes');
    const random = createSeededRandom(7);
    const documents = new Map<string, DocumentWrite>();
    const chunksOf = new Map<string, ChunkSketch[]>();
    try {
      for (let step = 0; step < 120; step++) {
        const id = `document ${random.below(25)}`;
        const kind = documents.has(id) ? random.below(4) : 0;
        if (kind === 3) {
          await writer.deleteDocuments([id]);
          documents.delete(id);
          chunksOf.delete(id);
        } else if (kind === 2) {
          await writer.updateDocument(id, { title: `Another ${step}` });
        } else {
          // The first of the old chunks stays, in another place.
          const chunks = [...sketches(random, 1 + random.below(4)), ...(chunksOf.get(id) ?? []).slice(0, 1)];
          chunksOf.set(id, chunks);
          const write = sketchDocument(id, chunks);
          documents.set(id, write);
          await writer.replaceDocument(write);
        }
        // Sometimes several commits are seen at once.
        if (random.below(3) === 0) continue;
        for (const [name, store] of Object.entries({ reader, writer })) {
          await assertFindsAsReference(store, [...documents.values()], `${name} after step ${step}`);
        }
      }
    } finally {
      await reader.close();
      await writer.close();
    }
  });

  it('are asked for anew when so much was added at once that it is not worth following', async () => {
    const { writer, reader } = await openPair('many');
    const random = createSeededRandom(11);
    const documents: DocumentWrite[] = [];
    try {
      for (const chunks of [3, 1_200, 2]) {
        const write = sketchDocument(`${chunks} chunks`, sketches(random, chunks));
        documents.push(write);
        await writer.replaceDocument(write);
        await assertFindsAsReference(reader, documents, `after ${chunks} chunks`);
      }
    } finally {
      await reader.close();
      await writer.close();
    }
  });
});
