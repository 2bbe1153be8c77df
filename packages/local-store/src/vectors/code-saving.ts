import { randomUUID } from 'node:crypto';
import { isAquiferError } from '@aquifer/contracts';
import { assertIntact } from '../database/checksums.js';
import { inSnapshot } from '../database/database.js';
import type { SqlDatabase, SqlValue } from '../database/sqlite-driver.js';
import {
  type CodePiece,
  codesTokenKey,
  type OpenCodeSnapshot,
  openCodeSnapshot,
  removeUnfinishedSnapshot,
  writeCodeSnapshot,
} from './code-snapshot.js';
import { codeLength, quantiseVector } from './quantise.js';
import { columnNames, emptyColumns } from './vector-table.js';

/** As `writeValue` of the store takes it. */
export interface StoredValue {
  readonly key: string;
  readonly json: string;
}

/** Brings the file of codes up to date, holding a few of them in memory at a time. */
export interface CodeSaver {
  /**
   * @param pause Lets searches run; throws when saving should stop.
   * @returns What the database must store, when codes were written: it vouches for the file.
   */
  save(dimensions: number, pause: () => Promise<void>): Promise<StoredValue | undefined>;
}

export interface CodeSaverOptions {
  readonly location: string;
  /** Of the database. */
  readonly identity: string;
}

/** The file is written again when so many hundredths of the vectors changed; until then the changes are read. */
const staleShare = 0.02;

/** Vectors that are read and coded in one go: some 5 ms. */
const pieceVectors = 256;

/** The database was changed meanwhile: the next time will do. */
class StateChanged extends Error {}

export function createCodeSaver(database: SqlDatabase, { location, identity }: CodeSaverOptions): CodeSaver {
  const selectCounters = database.prepare('SELECT generation, removed_chunks FROM counters');
  const selectToken = database.prepare('SELECT json FROM stored_values WHERE key = ?');
  const countUpTo = database.prepare('SELECT count(*) FROM chunks WHERE number <= ?');
  const selectState = database.prepare('SELECT count(*), coalesce(max(number), 0) FROM chunks');
  const selectNumbers = database.prepare('SELECT number FROM chunks WHERE number BETWEEN ? AND ?');
  const selectVectors = database.prepare(
    `SELECT chunks.number, chunks.document, chunks.embedding, embeddings.vector, embeddings.checksum
     FROM chunks LEFT JOIN embeddings ON embeddings.number = chunks.embedding
     WHERE chunks.number > ? ORDER BY chunks.number LIMIT ${pieceVectors}`,
  );

  const readState = () =>
    inSnapshot(database, () => {
      const [generation, removedChunks] = selectCounters.rows()[0] as [number, number];
      const [vectors, lastNumber] = selectState.rows()[0] as [number, number];
      const token = selectToken.rows(codesTokenKey)[0]?.[0] as string | undefined;
      return { generation, removedChunks, vectors, lastNumber, token };
    });
  type State = ReturnType<typeof readState>;

  /** Runs `work` on the state that the file will be of. */
  const inState = <Result>({ generation }: State, work: () => Result): Result =>
    inSnapshot(database, () => {
      if (selectCounters.rows()[0]?.[0] !== generation) throw new StateChanged();
      return work();
    });

  /** The codes of the file that are still wanted. */
  async function* kept(old: OpenCodeSnapshot, state: State, pause: () => Promise<void>): AsyncGenerator<CodePiece> {
    const length = codeLength(old.header.dimensions);
    for await (const { columns, codes } of old.pieces(pieceVectors)) {
      const { numbers } = columns;
      const present = inState(
        state,
        () => new Set(selectNumbers.rows(numbers[0] as number, numbers.at(-1) as number).map((row) => row[0])),
      );
      const slots = Array.from(numbers.keys()).filter((slot) => present.has(numbers[slot] as number));
      const piece = { columns: emptyColumns(slots.length), codes: new Uint8Array(slots.length * length) };
      for (const [to, from] of slots.entries()) {
        for (const name of columnNames) piece.columns[name][to] = columns[name][from] as number;
        piece.codes.set(codes.subarray(from * length, (from + 1) * length), to * length);
      }
      yield piece;
      await pause();
    }
  }

  /** Codes of the vectors from behind `number` on, made from the vectors. */
  async function* made(
    number: number,
    state: State,
    dimensions: number,
    pause: () => Promise<void>,
  ): AsyncGenerator<CodePiece> {
    const length = codeLength(dimensions);
    const vector = new Float32Array(dimensions);
    const vectorBytes = new Uint8Array(vector.buffer);
    for (let last = number; last < state.lastNumber; ) {
      const rows = inState(state, () => selectVectors.rows(last));
      const piece = { columns: emptyColumns(rows.length), codes: new Uint8Array(rows.length * length) };
      const target = new Int8Array(piece.codes.buffer);
      for (const [slot, [chunk, document, embedding, bytes, checksum]] of rows.entries()) {
        // A chunk without a vector cannot be written.
        assertIntact('a vector', bytes === null ? -1 : (checksum as SqlValue), (bytes ?? '') as Uint8Array);
        vectorBytes.set(bytes as Uint8Array);
        const { factor, error } = quantiseVector(vector, target, slot * length);
        piece.columns.numbers[slot] = chunk as number;
        piece.columns.documents[slot] = document as number;
        piece.columns.embeddings[slot] = embedding as number;
        piece.columns.factors[slot] = factor;
        piece.columns.errors[slot] = error;
      }
      last = rows.at(-1)?.[0] as number;
      yield piece;
      await pause();
    }
  }

  async function* all(
    old: OpenCodeSnapshot | undefined,
    state: State,
    dimensions: number,
    pause: () => Promise<void>,
  ): AsyncGenerator<CodePiece> {
    if (old !== undefined) yield* kept(old, state, pause);
    yield* made(old?.header.lastNumber ?? 0, state, dimensions, pause);
  }

  const isStale = ({ header }: OpenCodeSnapshot, state: State): boolean => {
    const still = inState(state, () => countUpTo.rows(header.lastNumber)[0]?.[0] as number);
    return header.vectors - still + (state.vectors - still) > state.vectors * staleShare;
  };

  return {
    async save(dimensions, pause) {
      await removeUnfinishedSnapshot(location);
      const state = readState();
      const token = randomUUID();
      const { generation, removedChunks, vectors, lastNumber } = state;
      const facts = { identity, token, generation, removedChunks, lastNumber, dimensions, vectors };
      const old =
        state.token === undefined
          ? undefined
          : await openCodeSnapshot(location, { identity, dimensions, token: JSON.parse(state.token) });
      try {
        if (old !== undefined && !isStale(old, state)) return undefined;
        await writeCodeSnapshot(location, facts, all(old, state, dimensions, pause)).catch((error: unknown) => {
          if (old === undefined || error instanceof StateChanged || isAquiferError(error)) throw error;
          // The old file may be damaged.
          return writeCodeSnapshot(location, facts, all(undefined, state, dimensions, pause));
        });
        return { key: codesTokenKey, json: JSON.stringify(token) };
      } catch (error) {
        if (isAquiferError(error)) throw error;
        // Without the file, searches are right and start later: no reason to fail.
        return undefined;
      } finally {
        await old?.close();
      }
    },
  };
}
