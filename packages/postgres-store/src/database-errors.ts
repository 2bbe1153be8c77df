import { AquiferError, type ErrorCode, isAquiferError } from '@aquifer/contracts';

interface Meaning {
  readonly code: ErrorCode;
  readonly advice: string;
  readonly retryable?: boolean;
}

const unavailable = (advice: string): Meaning => ({ code: 'index-unavailable', advice, retryable: true });
const notAnswering = unavailable('Is the server running, and can this machine reach it? Try again when it is up.');
const refused: Meaning = {
  code: 'credentials-refused',
  advice: 'Correct user and password in postgres://user:password@host/database, or set PGPASSWORD or ~/.pgpass.',
};
const notAllowed: Meaning = {
  code: 'index-read-only',
  advice: 'Let the owner of the database grant it, or connect as the role that owns the schema "aquifer".',
};

const untrusted: Meaning = {
  code: 'index-unavailable',
  advice:
    'The certificate is not one that is trusted here for this host: name the host as the certificate does, and the authority that signed it ' +
    'with sslrootcert=/path/to/ca.pem.',
};
const unencrypted: Meaning = {
  code: 'index-unavailable',
  advice: 'Turn on ssl on the server, or say sslmode=disable where the way to it is safe.',
};
const mustEncrypt: Meaning = {
  code: 'index-unavailable',
  advice:
    'The server may want an encrypted connection: add sslmode=verify-full to the address. Otherwise its pg_hba.conf has to let you in.',
};

// postgresql.org/docs/current/errcodes-appendix.html, and Node's own codes of sockets.
const meanings: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: notAnswering,
  ECONNRESET: notAnswering,
  EPIPE: notAnswering,
  ENOENT: notAnswering,
  ENOTFOUND: notAnswering,
  EAI_AGAIN: notAnswering,
  ETIMEDOUT: notAnswering,
  EHOSTUNREACH: notAnswering,
  ENETUNREACH: notAnswering,
  '57P01': notAnswering,
  '57P02': notAnswering,
  '57P03': notAnswering,
  '57P05': notAnswering,
  '25P03': unavailable(
    'The server ends transactions that wait for this process: raise idle_in_transaction_session_timeout.',
  ),
  '53300': unavailable('Too many connections: raise max_connections, or lower ?max= of those that connect.'),
  '53200': unavailable('The server is out of memory.'),
  '57014': unavailable('The statement was cancelled or took longer than statement_timeout.'),
  '40001': unavailable('Another transaction was in the way, again and again.'),
  '40P01': unavailable('Another transaction was in the way, again and again.'),
  '55P03': { code: 'index-locked', advice: 'Another transaction holds a lock. Try again.', retryable: true },
  '28P01': refused,
  '28000': refused,
  '3D000': { code: 'index-not-found', advice: 'Make the database first: createdb, or CREATE DATABASE.' },
  '3F000': { code: 'index-not-found', advice: 'Fill it: npx aquifer index <folder> --kb postgres://…' },
  '42P01': { code: 'index-not-found', advice: 'Fill it: npx aquifer index <folder> --kb postgres://…' },
  '42501': notAllowed,
  '25006': {
    code: 'index-read-only',
    advice: 'This server is a replica or read-only: connect to the primary to write.',
  },
  '53400': { code: 'disk-full', advice: 'Raise temp_file_limit of the role or the server.' },
  '53100': { code: 'disk-full', advice: 'Make room on the disk of the database and run the same command again.' },
  '54000': { code: 'too-large', advice: 'A value is larger than PostgreSQL takes.' },
  XX001: { code: 'index-corrupt', advice: 'Restore the database from a backup, or index again under another ?name=.' },
  XX002: { code: 'index-corrupt', advice: 'An index of the database is damaged: REINDEX DATABASE mends it.' },
};

/** What the server, `pg` and TLS say without a code of their own, or with one that says too little. */
function meaningOfWords(code: string, said: string): Meaning | undefined {
  if (/^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)|ALTNAME/.test(code)) return untrusted;
  if (said.includes('does not support SSL')) return unencrypted;
  if (code === '28000' && said.includes('no encryption')) return mustEncrypt;
  return undefined;
}

const isConnectionLost = (code: string, message: string): boolean =>
  code.startsWith('08') ||
  /Connection terminated|Client has encountered a connection error|timeout exceeded/.test(message);

/** What a failure of `pg` or the server means, and what to do; errors of Aquifer's own stay as they are. */
export function describeDatabaseError(error: unknown, shown: string): AquiferError {
  if (isAquiferError(error)) return error;
  const { code = '', message = String(error), syscall, path } = error as NodeJS.ErrnoException;
  if (syscall === 'open') {
    return new AquiferError(
      'invalid-options',
      `The address ${shown} names a certificate or key that cannot be read: ${path} (${code}).`,
      { cause: error },
    );
  }
  // An error of several addresses of one host has no message of its own.
  const said = message || code;
  const meaning =
    meaningOfWords(code, said) ??
    meanings[code] ??
    (isConnectionLost(code, said) ? notAnswering : /^SASL|password must be/.test(said) ? refused : undefined);
  if (meaning === undefined) {
    return new AquiferError('internal', `The database at ${shown} failed: ${said}`, { cause: error });
  }
  return new AquiferError(meaning.code, `The database at ${shown} says: ${said}. ${meaning.advice}`, {
    retryable: meaning.retryable ?? false,
    cause: error,
  });
}

const lostCodes = new Set([
  // Of a transaction that has failed, the first failure is what counts: this one is the first only where somebody left the connection in one.
  '25P02',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '25P03',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
]);
/** Serialization, deadlock, lock_timeout. */
const collisionCodes = new Set(['40001', '40P01', '55P03']);
/** Too many connections, and a server that starts. */
const notYetCodes = new Set(['53300', '57P03']);

/** What a transaction is begun again for that found something of somebody else's where there was nothing a moment before. */
export const collision = (what: string): Error =>
  Object.assign(new Error(`${what} was written by another transaction at the same moment`), { code: '40001' });

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? '';

/** Whether a server is there, although it lets nobody in at this moment. */
export const answered = (error: unknown): boolean => notYetCodes.has(codeOf(error));

/** Whether the same transaction may succeed in a moment: the server restarts or is full, or another transaction was in the way. */
export function isPassing(error: unknown): boolean {
  const { message = '' } = error as { message?: string };
  const code = codeOf(error);
  return [lostCodes, collisionCodes, notYetCodes].some((codes) => codes.has(code)) || isConnectionLost(code, message);
}
