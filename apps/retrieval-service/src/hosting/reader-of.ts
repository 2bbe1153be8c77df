import { type KnowledgeBase, type KnowledgeBaseOptions, openKnowledgeBase } from 'aquifer';
import { createKeptOpen, type KeptOpen } from './kept-open.js';
import type { ReadableKnowledgeBase } from './knowledge-base-host.js';

/** A knowledge base that is read by everybody who asks. */
export function keepReadable(options: KnowledgeBaseOptions): KeptOpen<KnowledgeBase> {
  return createKeptOpen(async () => {
    const opened = await openKnowledgeBase({ ...options, mode: 'read' });
    // What it fails with is for the question to say.
    opened.prepareToAnswer().catch(() => {});
    return opened;
  });
}

/** What is asked of a knowledge base, asked of the handle that is open at that moment. */
export function readerOf(kept: KeptOpen<KnowledgeBase>): ReadableKnowledgeBase {
  return {
    search: (query, options) => kept.use((reader) => reader.search(query, options)),
    explain: (query, documentId, options) => kept.use((reader) => reader.explain(query, documentId, options)),
    ask: (question, options) => kept.iterate((reader) => reader.ask(question, options)),
    embed: (texts, options) => kept.use((reader) => reader.embed(texts, options)),
    documents: (query) => kept.use((reader) => reader.documents(query)),
    document: (id) => kept.use((reader) => reader.document(id)),
    whyUnread: (name) => kept.use((reader) => reader.whyUnread(name)),
    status: () => kept.use((reader) => reader.status()),
  };
}
