import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Answer, ConversationTurn, KnowledgeBase, LoadedSettings } from 'aquifer';

/** A conversation that goes on with the next command. */
export interface AskSession {
  readonly turns: readonly ConversationTurn[];
  keep(answer: Answer): Promise<void>;
}

/**
 * The conversation of this name with this knowledge base: a file in a hidden folder beside the index, or in the current folder for a database.
 *
 * @throws `invalid-options` for a name that is none, and with an encrypted index, beside which questions and answers are not to lie open
 */
export async function openAskSession(
  name: string,
  { id, location }: KnowledgeBase,
  { values }: LoadedSettings,
): Promise<AskSession> {
  const { AquiferError, continued, isPostgresLocation } = await import('aquifer');
  if (!/^[\p{L}\p{N}_-][\p{L}\p{N}._-]{0,99}$/u.test(name)) {
    throw new AquiferError('invalid-options', '--session is a name of letters, digits, dots, dashes and underscores.');
  }
  if (values.encryptionKey !== undefined || values.encryptionKeyFile !== undefined) {
    throw new AquiferError(
      'invalid-options',
      'The index is encrypted, and a session would keep questions and answers beside it in plain text: leave --session out.',
    );
  }
  const folder = isPostgresLocation(location)
    ? '.aquifer-sessions'
    : join(dirname(resolve(location)), `.${basename(location).replace(/^\./, '')}-sessions`);
  const path = join(folder, `${id}-${name}.json`);
  const turns = await readTurns(path);
  return {
    turns,
    async keep(answer) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const written = `${path}.${process.pid}`;
      await writeFile(written, JSON.stringify({ turns: continued(turns, answer) }), { mode: 0o600 });
      await rename(written, path);
    },
  };

  async function readTurns(file: string): Promise<readonly ConversationTurn[]> {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new AquiferError('source-unreadable', `Cannot read the session in ${file}: ${error.message}`);
    });
    if (text === undefined) return [];
    try {
      const kept = JSON.parse(text).turns as unknown;
      if (Array.isArray(kept) && kept.every(isTurn)) return kept;
    } catch {
      // As below.
    }
    throw new AquiferError('invalid-options', `${file} holds no session: delete it, or choose another name.`);
  }
}

function isTurn(value: unknown): value is ConversationTurn {
  const { question, answer } = (value ?? {}) as Partial<ConversationTurn>;
  return typeof question === 'string' && typeof answer === 'string';
}
