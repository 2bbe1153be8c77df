// From documents to something that can be searched, with the built-in embedder: by Aquifer, and by LangChain.js.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * From opening a new index until all of the folder can be searched, in a process set up as `aquifer index` is.
 *
 * @param start Called when everything is loaded.
 * @returns how many chunks there are.
 */
export async function byAquifer(folder, question, start = () => {}) {
  const { openKnowledgeBase, tuneForIndexing } = await import('aquifer');
  const location = mkdtempSync(join(tmpdir(), 'aquifer-bench-index-'));
  try {
    start();
    tuneForIndexing();
    const knowledgeBase = await openKnowledgeBase({ location });
    const { failed, chunks } = await knowledgeBase.index(folder);
    const { matches } = await knowledgeBase.search(question, { limit: 1 });
    await knowledgeBase.close();
    if (failed > 0 || matches.length === 0) throw new Error(`${failed} files failed`);
    return chunks;
  } finally {
    rmSync(location, { recursive: true, force: true });
  }
}

/**
 * RecursiveCharacterTextSplitter with its defaults, the same embedder, HNSWLib.
 *
 * @param load Gives LangChain's documents.
 */
export async function byLangChain(load, question, start = () => {}) {
  const { createBuiltinEmbedder } = await import('@aquifer/models');
  const { Embeddings } = await import('@langchain/core/embeddings');
  const { HNSWLib } = await import('@langchain/community/vectorstores/hnswlib');
  const { RecursiveCharacterTextSplitter } = await import('@langchain/textsplitters');
  const embedder = createBuiltinEmbedder();
  const embed = async (texts, purpose) =>
    (await embedder.embed(texts, { purpose })).vectors.map((vector) => Array.from(vector));
  class BuiltinEmbeddings extends Embeddings {
    embedDocuments(texts) {
      return embed(texts, 'document');
    }
    async embedQuery(text) {
      return (await embed([text], 'query'))[0];
    }
  }
  start();
  const chunks = await new RecursiveCharacterTextSplitter().splitDocuments(await load());
  const store = await HNSWLib.fromDocuments(chunks, new BuiltinEmbeddings({}));
  if ((await store.similaritySearch(question, 1)).length === 0) throw new Error('LangChain.js found nothing.');
  return chunks.length;
}
