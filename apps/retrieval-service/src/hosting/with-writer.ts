import { type KnowledgeBase, type KnowledgeBaseOptions, openKnowledgeBase } from 'aquifer';

/** Opens a knowledge base for writing, for as long as that takes. */
export async function withWriter<Result>(
  options: KnowledgeBaseOptions,
  use: (opened: KnowledgeBase) => Promise<Result>,
): Promise<Result> {
  const opened = await openKnowledgeBase({ ...options, mode: 'write' });
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}
