import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AquiferError } from '@aquifer/contracts';
import { guarded, isBusy } from './guarded.js';
import { openSql } from './sqlite-driver.js';

const lockFileName = 'writer.lock';
const holderFileName = 'writer.json';

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly command?: string;
  readonly since: string;
}

export interface WriterLock {
  /** Whether the writer before ended without closing the index: it was killed, or its machine was. */
  readonly diedHolding: boolean;
  /** Idempotent. */
  release(): void;
}

/**
 * Makes this the only writer of the index until `release`. The lock is an exclusive transaction on a small database of its
 * own: the operating system lets go of it when the process dies, however it dies, so there is no stale lock.
 *
 * @param command What this process runs, for the message that another one gives. Left out where nobody may read it.
 * @throws `index-locked`, naming the other process.
 */
export function acquireWriterLock(location: string, command?: string): WriterLock {
  const file = join(location, lockFileName);
  return guarded(file, () => {
    mkdirSync(location, { recursive: true });
    const database = openSql(file, { create: true, busyTimeoutMs: 0 });
    try {
      database.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      database.close();
      if (isBusy(error)) throw locked(location, error);
      throw error;
    }
    const holderFile = join(location, holderFileName);
    const diedHolding = existsSync(holderFile);
    const holder: Holder = {
      pid: process.pid,
      host: hostname(),
      ...(command === undefined ? {} : { command }),
      since: new Date().toISOString(),
    };
    try {
      writeFileSync(holderFile, `${JSON.stringify(holder)}\n`);
    } catch {
      // The lock holds without the note; on a full disk the note must only not go on naming another process.
      rmSync(holderFile, { force: true });
    }
    let held = true;
    return {
      diedHolding,
      release() {
        if (!held) return;
        held = false;
        rmSync(holderFile, { force: true });
        database.close();
      },
    };
  });
}

/** Who is writing to the index now; undefined where nobody is. Takes nothing away from a writer. */
export function findWriter(location: string): string | undefined {
  const file = join(location, lockFileName);
  if (!existsSync(file)) return undefined;
  return guarded(file, () => {
    const database = openSql(file, { busyTimeoutMs: 0 });
    try {
      database.prepare('SELECT 1 FROM sqlite_schema').rows();
      return undefined;
    } catch (error) {
      if (isBusy(error)) return describeHolder(location);
      throw error;
    } finally {
      database.close();
    }
  });
}

function describeHolder(location: string): string {
  const holder = readHolder(location);
  return holder === undefined
    ? 'another process'
    : `process ${holder.pid} on ${holder.host} (${holder.command === undefined ? '' : `${holder.command}, `}since ${holder.since})`;
}

function locked(location: string, cause: unknown): AquiferError {
  return new AquiferError(
    'index-locked',
    `${location} is being written by ${describeHolder(location)}. Wait until it has finished, or stop it; searching is possible meanwhile.`,
    { cause, retryable: true },
  );
}

/** The note is only for the message: what it says never decides anything. */
function readHolder(location: string): Holder | undefined {
  try {
    const { pid, host, command, since } = JSON.parse(readFileSync(join(location, holderFileName), 'utf8'));
    return {
      pid: Number(pid),
      host: String(host),
      ...(command === undefined ? {} : { command: String(command) }),
      since: String(since),
    };
  } catch {
    return undefined;
  }
}
