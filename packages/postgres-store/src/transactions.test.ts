import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { startTestDatabase, type TestDatabase } from './postgres.test-fixture.js';
import { parsePostgresLocation } from './postgres-location.js';
import { createTransactions, type Query, type Transactions } from './transactions.js';

describe('transactions', () => {
  let database: TestDatabase;
  let transactions: Transactions;
  before(async () => {
    database = await startTestDatabase();
    transactions = createTransactions({ location: parsePostgresLocation(database.location({ max: '1' })) });
  });
  after(async () => {
    await transactions?.close();
    await database?.stop();
  });

  const tenantOf = async (query: Query): Promise<unknown> =>
    (await query("SELECT current_setting('aquifer.tenant', true) AS tenant"))[0]?.tenant;

  it('are begun on another connection where one was left in a transaction that has failed', async () => {
    await transactions.outside(async (query) => {
      await query('BEGIN');
      await assert.rejects(query('SELECT 1 / 0'), /division by zero/);
    });
    assert.equal(await transactions.read(tenantOf), 'default');
    assert.equal(await transactions.write(tenantOf), 'default');
  });

  it('say what failed first, of statements that were sent together', async () => {
    const work = (query: Query) => Promise.all([query('SELECT 1'), query('SELECT 1 / 0'), query('SELECT 2')]);
    await assert.rejects(transactions.read(work), /division by zero/);
    await assert.rejects(transactions.write(work), /division by zero/);
  });

  it('take no statement of work that goes on after another part of it failed', async () => {
    let goOn!: () => void;
    const failed = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let late: Promise<unknown> | undefined;
    await assert.rejects(
      transactions.write((query) => {
        late = failed.then(() => query("SELECT set_config('aquifer.tenant', 'late', false)"));
        late.catch(() => {});
        return Promise.all([late, query('SELECT 1 / 0')]);
      }),
      /division by zero/,
    );
    const next = transactions.write(async (query) => {
      goOn();
      await assert.rejects(late as Promise<unknown>, /is over/);
      return tenantOf(query);
    });
    assert.equal(await next, 'default');
  });

  it('take none behind their end either, where it would commit by itself', async () => {
    let late: Promise<unknown> | undefined;
    await assert.rejects(
      transactions.write((query) => {
        const failing = query('SELECT 1 / 0');
        // By then the end is on its way, and not answered yet.
        late = failing.catch(() => nextTurn()).then(() => query("SELECT set_config('aquifer.tenant', 'late', false)"));
        late.catch(() => {});
        return Promise.all([failing, late]);
      }),
      /division by zero/,
    );
    await assert.rejects(late as Promise<unknown>, /is over/);
    assert.notEqual(await transactions.outside(tenantOf), 'late');
  });
});
