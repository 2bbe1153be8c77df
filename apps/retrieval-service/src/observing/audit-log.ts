import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AquiferError } from '@aquifer/contracts';

export type AuditedAction =
  | 'search'
  | 'explain'
  | 'ask'
  | 'answer'
  | 'list-documents'
  | 'read-document'
  | 'add-document'
  | 'delete-documents'
  | 'create-knowledge-base'
  | 'delete-knowledge-base';

/** Who did what with which knowledge base, and which documents went out. */
export interface AuditEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly requestId: string;
  readonly tenant: string;
  /** Absent where there are no keys. */
  readonly keyId?: string;
  readonly action: AuditedAction;
  readonly knowledgeBaseId: string;
  /** Each once; without an id where it has none yet. */
  readonly documents?: readonly { readonly id?: string; readonly source?: string }[];
  /** Kept only where texts are. */
  readonly text?: {
    readonly query?: string;
    readonly answer?: string;
    readonly passages?: readonly { readonly documentId: string; readonly start: number; readonly text: string }[];
  };
}

export interface AuditLog {
  /** Resolves when it is in the file. @throws `source-unreadable` when it cannot be written. */
  write(entry: AuditEntry): Promise<void>;
}

/**
 * One line of JSON for everything that was done with a knowledge base, in a file a day (`2026-11-28.jsonl`, UTC) that only the server's user may read.
 * Old files are whoever's keeps them to move or delete: a new day never touches them.
 *
 * @param keepsText Whether questions, answers and passages are kept too. Default false.
 */
export function createAuditLog(folder: string, { keepsText = false }: { readonly keepsText?: boolean } = {}): AuditLog {
  let waiting: { readonly day: string; readonly line: string }[] = [];
  let writing: Promise<void> | undefined;

  /** All that is waiting, in one piece a day. */
  async function flush(): Promise<void> {
    const lines = waiting;
    waiting = [];
    writing = undefined;
    const days = new Map<string, string>();
    for (const { day, line } of lines) days.set(day, (days.get(day) ?? '') + line);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const [day, text] of days) await appendFile(join(folder, `${day}.jsonl`), text, { mode: 0o600 });
    } catch (cause) {
      const message = `The audit log in ${folder} cannot be written, so nothing is handed out: ${(cause as Error).message}`;
      throw new AquiferError('source-unreadable', message, { cause, retryable: true });
    }
  }

  let last: Promise<unknown> = Promise.resolve();
  return {
    write({ text, ...entry }) {
      const kept = keepsText && text !== undefined ? { ...entry, text } : entry;
      waiting.push({ day: entry.at.slice(0, 10), line: `${JSON.stringify(kept)}\n` });
      // Those that come while a piece is being written go together into the next.
      if (writing === undefined) {
        writing = last.then(flush, flush);
        last = writing;
      }
      return writing;
    },
  };
}
