import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KnowledgeBase, KnowledgeBaseOptions } from './knowledge-base.js';
import { openKnowledgeBase } from './open-knowledge-base.js';

const prefix = 'aquifer-temporary-';
/** Younger ones may be without a writer because it has not come yet. */
const abandonedAfterMs = 10 * 60_000;

let sweeping: Promise<void> | undefined;

/**
 * A knowledge base in a folder of its own below the system's temporary one, for documents of which nothing is to stay: `close` removes it. What a
 * killed process left there is removed by the next process that opens one.
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
  sweeping ??= removeAbandoned(tmpdir());
  await sweeping;
  const folder = await mkdtemp(join(tmpdir(), prefix));
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

/** Removes the folders of processes that were killed: nobody writes to an index that is open for a temporary knowledge base but its process. */
async function removeAbandoned(parent: string): Promise<void> {
  const { findWriter } = await import('@aquifer/local-store/inspect-index');
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const folder = join(parent, name);
    try {
      const { mtimeMs } = await stat(folder);
      const isAbandoned = Date.now() - mtimeMs > abandonedAfterMs && findWriter(join(folder, 'index')) === undefined;
      if (isAbandoned) await rm(folder, { recursive: true, force: true });
    } catch {
      // Somebody else's, or being removed by another process.
    }
  }
}
