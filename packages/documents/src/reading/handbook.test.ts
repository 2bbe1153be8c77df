import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ExtractedDocument, pageRange } from '@aquifer/contracts';
import { readSample } from '../testing/document-outline.js';
import { formats } from './formats.js';
import { parseSidecar } from './sidecar.js';

const examples = new URL('../../../../examples/', import.meta.url);
const handbook = new URL('handbook/', examples);
const paths = readdirSync(fileURLToPath(handbook), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath}/${entry.name}`.slice(fileURLToPath(handbook).length));

const documents = new Map<string, Promise<ExtractedDocument>>();

function readHandbook(path: string): Promise<ExtractedDocument> {
  const document = documents.get(path) ?? readUncached(path);
  documents.set(path, document);
  return document;
}

async function readUncached(path: string): Promise<ExtractedDocument> {
  const format = formats.find(({ extensions }) => extensions.some((extension) => path.endsWith(extension)));
  assert.ok(format, `a reader of ${path}`);
  return readSample(await format.load(), readFileSync(new URL(path, handbook)), path);
}

describe('the example handbook', () => {
  it('is read whole, every document with its title', async () => {
    for (const path of paths.filter((name) => !name.endsWith('.metadata.json'))) {
      const { blocks, omissions, title } = await readHandbook(path);
      assert.ok(blocks.length > 4, path);
      assert.deepEqual(omissions, [], path);
      assert.ok(title || path.endsWith('.txt'), path);
    }
  });

  it('has sidecars that name documents', () => {
    const sidecars = paths.filter((name) => name.endsWith('.metadata.json'));
    assert.ok(sidecars.length > 0);
    for (const path of sidecars) {
      assert.ok(paths.includes(path.replace(/\.metadata\.json$/, '')), path);
      assert.equal(typeof parseSidecar(readFileSync(new URL(path, handbook)), path).department, 'string');
    }
  });

  it('answers the questions about it, on the pages that they name', async () => {
    const lines = readFileSync(new URL('handbook-questions.jsonl', examples), 'utf8').trim().split('\n');
    for (const line of lines) {
      const { question, source, page, answerContains } = JSON.parse(line);
      if (source === null) continue;
      const { text, pages } = await readHandbook(source);
      const foundOn = new Set<number | undefined>();
      for (let start = text.indexOf(answerContains); start >= 0; start = text.indexOf(answerContains, start + 1)) {
        foundOn.add(pageRange(pages, start, start + answerContains.length)?.pageStart);
      }
      assert.ok(
        foundOn.has(page),
        `${question} is answered with ${answerContains} on page ${page ?? '-'} of ${source}`,
      );
    }
  });
});
