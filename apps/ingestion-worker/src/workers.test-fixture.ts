import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type KnowledgeBase, openKnowledgeBase } from 'aquifer';

const main = fileURLToPath(new URL('./main.js', import.meta.url));

/** A worker in a process of its own, as the container image starts it. */
export interface WorkerProcess {
  readonly child: ChildProcess;
  /** What it said so far, a line of JSON each. */
  readonly events: Readonly<Record<string, unknown>>[];
  /** Waits until it said something of this type and status. */
  heard(type: string, status?: string): Promise<Readonly<Record<string, unknown>>>;
  /** Sends a signal and resolves with the milliseconds until it was gone. */
  end(signal: NodeJS.Signals): Promise<number>;
}

export function startWorkerProcess(
  location: string,
  environment: Readonly<Record<string, string>> = {},
): WorkerProcess {
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH,
      AQUIFER_KB: location,
      AQUIFER_DEAD_AFTER_SECONDS: '2',
      AQUIFER_THREADS: '1',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const events: Record<string, unknown>[] = [];
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) events.push(line.startsWith('{') ? JSON.parse(line) : { type: 'stderr', line });
  });
  const closed = once(child, 'close');
  return {
    child,
    events,
    async heard(type, status) {
      for (;;) {
        const event = events.find((each) => each.type === type && (status === undefined || each.status === status));
        if (event !== undefined) return event;
        if (child.exitCode !== null) throw new Error(`The worker ended: ${JSON.stringify(events)}`);
        await wait(20);
      }
    },
    async end(signal) {
      const startedAt = performance.now();
      child.kill(signal);
      await closed;
      return performance.now() - startedAt;
    },
  };
}

/** A folder of text files, each of several chunks that name it. */
export function createTextFolder(files: number, prefix = 'file'): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'aquifer-workers-'));
  for (let file = 0; file < files; file += 1)
    writeFileSync(join(path, `${prefix}-${file}.txt`), textOf(`${prefix} ${file}`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function textOf(name: string): string {
  const paragraph = (number: number) =>
    `Paragraph ${number} of ${name}. ${Array.from({ length: 40 }, (_, word) => `word${(number * 31 + word * 7) % 997}`).join(' ')}.`;
  return Array.from({ length: 6 }, (_, number) => paragraph(number)).join('\n\n');
}

export async function withKnowledgeBase<Result>(
  location: string,
  work: (knowledgeBase: KnowledgeBase) => Promise<Result>,
): Promise<Result> {
  const knowledgeBase = await openKnowledgeBase({ location, chunkTokens: 128 });
  try {
    return await work(knowledgeBase);
  } finally {
    await knowledgeBase.close();
  }
}

/** What is in a knowledge base, without times: equal for equal documents, however they came there. */
export async function contentOf(knowledgeBase: KnowledgeBase): Promise<unknown> {
  const documents = [];
  for (const { id } of await knowledgeBase.documents()) {
    const { indexedAt: _, ...document } = await knowledgeBase.document(id);
    documents.push(document);
  }
  const { chunks, tokens, documents: counts } = await knowledgeBase.status();
  return { documents, chunks, tokens, counts };
}
