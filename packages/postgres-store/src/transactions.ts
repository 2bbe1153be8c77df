import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { AquiferError } from '@aquifer/contracts';
import pg from 'pg';
import { copyRows } from './copy-rows.js';
import { answered, describeDatabaseError, isPassing } from './database-errors.js';
import type { PostgresLocation } from './postgres-location.js';

export type Row = Readonly<Record<string, unknown>>;
/** Runs one statement with bound parameters. */
export type Ask = <Result extends Row = Row>(sql: string, parameters?: readonly unknown[]) => Promise<Result[]>;

/**
 * The statements of one transaction. Those that are asked for before the answer of an earlier one is there are sent at once, and the server takes
 * them in turn: `Promise.all` spares the way there and back.
 */
export interface Query extends Ask {
  /** The same for a text that comes again and again: the server parses and plans it once a connection. */
  prepared: Ask;
  /** Runs `COPY … FROM STDIN (FORMAT binary)` with these rows. */
  copy(sql: string, rows: Buffer): Promise<void>;
}

/** Ends a transaction by this statement: none is taken behind it. */
type Finish = (sql: string) => Promise<unknown>;

/** The database as one tenant sees it. */
export interface Transactions {
  /**
   * All statements of `work` in one transaction, which sees the rows of the tenant only; it is begun again where the server restarted or
   * another transaction was in the way, so `work` must have no other effect. A lock is waited for up to 15 seconds, or the `lock_timeout` that
   * the address, the role or the server has.
   */
  write<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  /** The same on one snapshot, unable to change anything. */
  read<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  /** A transaction that sees the rows of another tenant, as one does who works for all of them. */
  writeAs<Result>(tenant: string, work: (query: Query) => Promise<Result>): Promise<Result>;
  /** Statements that may not be part of a transaction, all on one connection. No tenant is set. */
  outside<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/**
 * Until the server has gathered statistics of a new knowledge base, it thinks that all of it is one row, and compares each row of one table
 * with each of another. For the rest of the transaction, it hashes.
 */
export async function avoidNestedLoops(query: Query): Promise<void> {
  await query("SELECT set_config('enable_nestloop', 'off', true)");
}

const statementNames = new Map<string, string>();
function nameOfStatement(sql: string): string {
  let name = statementNames.get(sql);
  if (name === undefined) {
    name = createHash('sha256').update(sql).digest('hex').slice(0, 32);
    statementNames.set(sql, name);
  }
  return name;
}

/** A prepared statement that is there already, or not any more: the connection is not the one on which it was prepared. */
function isOfStatementNames(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === '42P05' || code === '26000';
}

export interface TransactionsOptions {
  readonly location: Pick<PostgresLocation, 'connectionString' | 'tenant' | 'maxConnections' | 'shown'>;
  /** Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** How long a restart of the server is waited for, a connection where all are taken, and a lock. Default 15,000. */
  readonly patienceMs?: number;
}

export function createTransactions(options: TransactionsOptions): Transactions {
  const { location, connectTimeoutMs = 10_000, patienceMs = 15_000 } = options;
  const { connectionString, tenant, maxConnections, shown } = location;
  const pool = new pg.Pool({
    connectionString,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'aquifer',
    allowExitOnIdle: true,
    pipeline: true,
    ...(maxConnections !== undefined && { max: maxConnections }),
  });
  // A connection that breaks while nobody uses it is replaced by the next that is needed.
  pool.on('error', () => {});
  // From the first moment on: the server may end a connection in the same breath in which it opens it, and before anybody has it in hands.
  const lost = new WeakMap<pg.PoolClient, Error>();
  pool.on('connect', (client) => client.on('error', (error) => lost.set(client, error)));
  let wasConnected = false;
  /** Until something between here and the server turns out to give one connection's statements to another, as some poolers do. */
  let mayPrepare = true;

  const connect = (): Promise<pg.PoolClient> =>
    pool.connect().catch((error: Error) => {
      // What pg says where this process itself keeps all of its connections busy; of the server it says something else.
      if (error.message !== 'timeout exceeded when trying to connect') throw error;
      throw new AquiferError(
        'index-unavailable',
        `All ${pool.totalCount} connections of this process to ${shown} were busy for ${connectTimeoutMs / 1_000} seconds. Raise ?max= in the ` +
          'address, or do less at a time.',
        { retryable: true, cause: error },
      );
    });

  async function connected<Result>(work: (query: Query, finish: Finish) => Promise<Result>): Promise<Result> {
    const client = await connect();
    let failure: Error | undefined;
    let first: unknown;
    let isOver = false;
    wasConnected = true;
    const watched = async <Result>(answer: Promise<Result>): Promise<Result> => {
      try {
        return await answer;
      } catch (error) {
        first ??= error;
        throw error;
      }
    };
    // Where work that runs side by side failed in one place, the rest of it may go on asking: behind the end of the transaction, each statement would
    // commit by itself, and later the connection is somebody else's.
    const mine = (): pg.PoolClient => {
      if (isOver) throw new Error('The transaction of this statement is over');
      return client;
    };
    const ask = async <Result extends Row>(statement: pg.QueryConfig): Promise<Result[]> =>
      (await watched(mine().query(statement))).rows;
    const query: Query = Object.assign(
      <Result extends Row>(sql: string, parameters?: readonly unknown[]) =>
        ask<Result>({ text: sql, values: parameters as unknown[] }),
      {
        prepared: <Result extends Row>(sql: string, parameters?: readonly unknown[]) =>
          ask<Result>({
            ...(mayPrepare && { name: nameOfStatement(sql) }),
            text: sql,
            values: parameters as unknown[],
          }),
        copy: async (sql: string, rows: Buffer) => watched(copyRows(mine(), sql, rows)),
      },
    );
    const finish: Finish = (sql) => {
      const answer = query(sql);
      isOver = true;
      return answer;
    };
    try {
      return await work(query, finish);
    } catch (error) {
      // Of a lost connection, and of a transaction that has failed, later statements say only that; which were sent together with the first.
      const isLater = (error as { code?: string }).code === '25P02';
      const cause = lost.get(client) ?? (isLater ? first : error);
      if (isPassing(cause)) failure = cause as Error;
      throw cause;
    } finally {
      isOver = true;
      client.release(lost.get(client) ?? failure);
    }
  }

  // One message, so it can have no parameters. SET LOCAL and not set_config: a distributed PostgreSQL passes that on to the servers of the rows.
  // Compiling a query (jit) takes longer than any of these runs. Whoever waits for a lock is told so in the end.
  const settingsOf = (of: string): string =>
    `SET LOCAL aquifer.tenant = ${pg.escapeLiteral(of)}; SET LOCAL jit = off; ` +
    `SELECT set_config('lock_timeout', '${patienceMs}', true) WHERE current_setting('lock_timeout') = '0'`;
  const transaction = <Result>(
    mode: string,
    of: string,
    work: (query: Query) => Promise<Result>,
    commit: (finish: Finish) => Promise<unknown>,
  ): Promise<Result> =>
    connected(async (query, finish) => {
      try {
        // Sent with the first statement of the work. Where it fails, there is no tenant, and the work can neither see nor write anything.
        const [begun, done] = await Promise.allSettled([
          query(`BEGIN ISOLATION LEVEL ${mode}; ${settingsOf(of)}`),
          work(query),
        ]);
        if (begun.status === 'rejected') throw begun.reason;
        if (done.status === 'rejected') throw done.reason;
        await commit(finish);
        return done.value;
      } catch (error) {
        // The connection may be what failed.
        await finish('ROLLBACK').catch(() => {});
        throw error;
      }
    });
  const commitWrite = (finish: Finish) => finish('COMMIT');
  // Nothing depends on how a transaction ends that has only read, and what the connection is asked next waits behind it.
  const endRead = async (finish: Finish) => void finish('COMMIT').catch(() => {});

  async function patiently<Result>(attempt: () => Promise<Result>): Promise<Result> {
    const deadline = performance.now() + patienceMs;
    for (let pauseMs = 20; ; pauseMs = Math.min(2 * pauseMs, 1_000)) {
      try {
        return await attempt();
      } catch (error) {
        if (mayPrepare && isOfStatementNames(error)) {
          mayPrepare = false;
          continue;
        }
        // An address where nothing ever answered is more likely wrong than restarting.
        if (!(wasConnected || answered(error)) || !isPassing(error) || performance.now() + pauseMs > deadline) {
          throw describeDatabaseError(error, shown);
        }
        await wait(pauseMs);
      }
    }
  }

  let closing: Promise<void> | undefined;
  const refuseClosed = (): void => {
    if (closing !== undefined) throw new AquiferError('invalid-options', `The index at ${shown} is closed.`);
  };
  const writeAs: Transactions['writeAs'] = async (of, work) => {
    refuseClosed();
    // Not "READ WRITE", which would overrule default_transaction_read_only, and which a replica refuses with an error of its own.
    return patiently(() => transaction('READ COMMITTED', of, work, commitWrite));
  };
  return {
    write: (work) => writeAs(tenant, work),
    writeAs,
    async read(work) {
      refuseClosed();
      return patiently(() => transaction('REPEATABLE READ READ ONLY', tenant, work, endRead));
    },
    async outside(work) {
      refuseClosed();
      return connected(work).catch((error: unknown) => {
        throw describeDatabaseError(error, shown);
      });
    },
    close() {
      closing ??= pool.end();
      return closing;
    },
  };
}
