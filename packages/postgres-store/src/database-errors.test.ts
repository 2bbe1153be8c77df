import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ErrorCode } from '@aquifer/contracts';
import { DatabaseError } from 'pg';
import { describeDatabaseError, isPassing } from './database-errors.js';

/** An error as the server sends it. */
function fromServer(code: string, message: string): DatabaseError {
  return Object.assign(new DatabaseError(message, message.length, 'error'), { code });
}

describe('errors of the database', () => {
  it('say what happened and what to do', () => {
    const expected: readonly (readonly [string, string, ErrorCode, RegExp])[] = [
      ['28P01', 'password authentication failed for user "me"', 'credentials-refused', /PGPASSWORD/],
      ['3D000', 'database "docs" does not exist', 'index-not-found', /createdb/],
      ['25006', 'cannot execute INSERT in a read-only transaction', 'index-read-only', /connect to the primary/],
      ['42501', 'permission denied for schema aquifer', 'index-read-only', /owner/],
      ['53100', 'could not extend file', 'disk-full', /Make room/],
      ['53300', 'sorry, too many clients already', 'index-unavailable', /max_connections/],
      [
        '25P03',
        'terminating connection due to idle-in-transaction timeout',
        'index-unavailable',
        /idle_in_transaction_session_timeout/,
      ],
      ['53400', 'temporary file size exceeds temp_file_limit (1024kB)', 'disk-full', /temp_file_limit/],
      ['57P03', 'the database system is starting up', 'index-unavailable', /Try again/],
      ['XX001', 'invalid page in block 3', 'index-corrupt', /backup/],
      ['22P02', 'something else', 'internal', /something else/],
    ];
    for (const [code, message, ours, advice] of expected) {
      const error = describeDatabaseError(fromServer(code, message), 'postgres://db/docs');
      assert.equal(error.code, ours, code);
      assert.match(error.message, advice);
      assert.ok(error.message.includes(message) && error.message.includes('postgres://db/docs'));
    }
  });

  it('tell what passes by itself from what does not', () => {
    assert.ok(isPassing(fromServer('40P01', 'deadlock detected')));
    assert.ok(isPassing(fromServer('57P01', 'terminating connection due to administrator command')));
    assert.ok(isPassing(new Error('Connection terminated unexpectedly')));
    assert.ok(!isPassing(fromServer('28P01', 'password authentication failed')));
    assert.ok(!isPassing(fromServer('23505', 'duplicate key')));
  });
});
