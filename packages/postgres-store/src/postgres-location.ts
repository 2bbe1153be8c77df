import { AquiferError } from '@aquifer/contracts';
import { type GraphCodingName, parseGraphCoding } from './graph-coding.js';

/** Where a shared index is: what `postgres://user@host/database?name=handbook&tenant=acme` says. */
export interface PostgresLocation {
  /** For `pg`: without what is Aquifer's own. */
  readonly connectionString: string;
  /** Default `default`. */
  readonly knowledgeBase: string;
  /** Default `default`. */
  readonly tenant: string;
  /** `?max=`: most connections at a time. */
  readonly maxConnections?: number;
  /** `?replica=`: another server with the same database, which searches are sent to. */
  readonly replica?: { readonly connectionString: string; readonly shown: string };
  /** `?graph=`: how a graph keeps vectors. Default `vector`. */
  readonly graph: GraphCodingName;
  /** `?copy=off`: false where something between here and the tables does not pass on COPY. */
  readonly mayCopy: boolean;
  /** The whole address without its password, for people and logs. */
  readonly shown: string;
}

// Names are in every row and every key.
const maxNameLength = 100;

/** At the end of a name, it is that of the index which is built to take its place. No name that somebody gives has it. */
const nextSuffix = '\u0001';
export const nextName = (knowledgeBase: string): string => knowledgeBase + nextSuffix;
export const isNextName = (knowledgeBase: string): boolean => knowledgeBase.endsWith(nextSuffix);

/** Whether a location is the address of a database, and not a folder. */
export const isPostgresLocation = (location: string): boolean => /^postgres(ql)?:\/\//i.test(location);

/**
 * @throws `invalid-options` for what is no address, without repeating it: it may hold a password.
 * @example parsePostgresLocation('postgres://aquifer@db.internal/aquifer?name=handbook').knowledgeBase // 'handbook'
 */
export function parsePostgresLocation(location: string): PostgresLocation {
  let url: URL;
  try {
    url = new URL(location);
  } catch (error) {
    throw new AquiferError(
      'invalid-options',
      'The address of the database cannot be read. It is written postgres://user:password@host:5432/database?name=handbook, with ' +
        'special characters of user and password percent-encoded.',
      { cause: error },
    );
  }
  const shown = new URL(url);
  shown.password = '';
  shown.searchParams.delete('password');
  const nameIn = (parameter: string): string => {
    const name = url.searchParams.get(parameter) ?? 'default';
    url.searchParams.delete(parameter);
    if (name === '' || name.length > maxNameLength || name.includes('\0') || name.includes(nextSuffix)) {
      throw new AquiferError(
        'invalid-options',
        `The ${parameter} in ${shown} must have 1 to ${maxNameLength} characters, none of them U+0000 or U+0001, as in ?${parameter}=handbook`,
      );
    }
    return name;
  };
  const knowledgeBase = nameIn('name');
  const tenant = nameIn('tenant');
  const max = url.searchParams.get('max');
  url.searchParams.delete('max');
  if (max !== null && !/^[1-9]\d{0,3}$/.test(max)) {
    throw new AquiferError('invalid-options', `The max in ${shown} must be a number of connections, as in ?max=20`);
  }
  const copy = url.searchParams.get('copy') ?? 'on';
  url.searchParams.delete('copy');
  if (copy !== 'on' && copy !== 'off') {
    throw new AquiferError('invalid-options', `The copy in ${shown} must be on or off, as in ?copy=off`);
  }
  const graph = parseGraphCoding(url.searchParams.get('graph') ?? 'vector', shown.href);
  url.searchParams.delete('graph');
  const encryption = url.searchParams.get('sslmode');
  if (encryption !== null) {
    assertEncryption(encryption, url.searchParams.has('sslrootcert'), shown.href);
    // Otherwise `pg` takes "require" for "verify-full", which no other program does, and prints a warning.
    url.searchParams.set('uselibpqcompat', 'true');
  }
  const replica = url.searchParams.get('replica');
  url.searchParams.delete('replica');
  if (replica !== null && !/^[\w.-]+(:\d+)?$|^\[[\da-f:.]+\](:\d+)?$/i.test(replica)) {
    // A whole address may hold a password.
    shown.searchParams.delete('replica');
    throw new AquiferError(
      'invalid-options',
      `The replica of ${shown} must be a host, as in ?replica=replica.internal:5432`,
    );
  }
  const onReplica = (address: URL): string => {
    const moved = new URL(address);
    moved.host = replica as string;
    if (!/:\d+$/.test(replica as string)) moved.port = '';
    return moved.href;
  };
  return {
    connectionString: url.href,
    knowledgeBase,
    tenant,
    ...(max !== null && { maxConnections: Number(max) }),
    ...(replica !== null && { replica: { connectionString: onReplica(url), shown: onReplica(shown) } }),
    graph,
    mayCopy: copy === 'on',
    shown: shown.href,
  };
}

/** What "sslmode" may say. It is as in libpq, but for what lets somebody on the way choose that nothing is encrypted. */
const encryptions = ['disable', 'require', 'verify-ca', 'verify-full'];

function assertEncryption(mode: string, hasAuthority: boolean, shown: string): void {
  if (!encryptions.includes(mode)) {
    throw new AquiferError(
      'invalid-options',
      `The sslmode in ${shown} must be one of ${encryptions.join(', ')}, as in ?sslmode=verify-full`,
    );
  }
  if (mode === 'verify-ca' && !hasAuthority) {
    throw new AquiferError(
      'invalid-options',
      `The sslmode verify-ca in ${shown} needs the authority's certificate, as in &sslrootcert=/etc/ssl/ca.pem. Where it is a public one, say verify-full.`,
    );
  }
}
