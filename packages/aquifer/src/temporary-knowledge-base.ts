import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KnowledgeBase, KnowledgeBaseOptions } from './knowledge-base.js';
import { openKnowledgeBase } from './open-knowledge-base.js';

/**
 * A knowledge base in a folder of its own below the system's temporary one, for documents of which nothing is to stay: `close` removes it.
 *
 * @throws as `openKnowledgeBase`; then nothing is left either
 * @example
 * const knowledgeBase = await openTemporaryKnowledgeBase();
 * await knowledgeBase.index(createMemorySource({ id: 'mail', documents: [{ path: 'contract.pdf', bytes }] }));
 * for await (const event of knowledgeBase.ask('When does it end?')) if (event.type === 'text') process.stdout.write(event.text);
 * await knowledgeBase.close();
 */
export async function openTemporaryKnowledgeBase(
  options: Omit<KnowledgeBaseOptions, 'location' | 'mode'> = {},
): Promise<KnowledgeBase> {
  const folder = await mkdtemp(join(tmpdir(), 'aquifer-temporary-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const opened = await openKnowledgeBase({ ...options, location: join(folder, 'index') });
    return {
      ...opened,
      async close() {
        try {
          await opened.close();
        } finally {
          await remove();
        }
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
