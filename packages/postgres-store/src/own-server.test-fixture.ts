import { execFile } from 'node:child_process';
import { appendFile, chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

/** A PostgreSQL server that belongs to one test file, which may restart, fill and break it. */
export interface OwnServer {
  readonly port: number;
  /** The folder of the cluster. */
  readonly data: string;
  /** The location of a knowledge base, as the application's role, in a database that has pgvector. */
  location(parameters?: Readonly<Record<string, string>>): string;
  /** As the superuser. */
  administer<Result = void>(work: (client: pg.Client) => Promise<Result>, database?: string): Promise<Result>;
  /** Statements of the superuser. */
  run(sql: string, database?: string): Promise<void>;
  start(): Promise<void>;
  /** `immediate` is a crash: the server recovers when it starts. */
  halt(mode: 'fast' | 'immediate'): Promise<void>;
  restart(mode: 'fast' | 'immediate'): Promise<void>;
  remove(): Promise<void>;
}

const programs = process.env.AQUIFER_TEST_POSTGRES_PROGRAMS;

/** For `skip`: why there can be no server of one's own, or false. */
export const noOwnServer = programs === undefined && 'needs AQUIFER_TEST_POSTGRES_PROGRAMS: scripts/test-postgres.sh';

// PostgreSQL refuses to be run by root. This is nobody.
const unprivileged = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

/** The user whose processes these servers are. */
export const ownerOfServers = unprivileged?.uid ?? process.getuid?.();

/** Makes a cluster on a free port, with the role and database `aquifer` as docs/postgres.md has them. */
export async function startOwnServer(settings: readonly string[] = []): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'aquifer-server-'));
  if (unprivileged) await chown(folder, unprivileged.uid, unprivileged.gid);
  const data = join(folder, 'data');
  const port = await freePort();
  const call = async (program: string, ...parameters: readonly string[]): Promise<void> => {
    await promisify(execFile)(join(programs as string, program), parameters, { cwd: folder, ...unprivileged });
  };
  const control = (...parameters: readonly string[]) => call('pg_ctl', '-D', data, '-w', '-s', ...parameters);
  await call('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync');
  await appendFile(
    join(data, 'postgresql.conf'),
    [`port = ${port}`, `unix_socket_directories = '${folder}'`, "listen_addresses = '127.0.0.1'", 'fsync = off']
      .concat('shared_buffers = 16MB', settings, '')
      .join('\n'),
  );
  const server: OwnServer = {
    port,
    data,
    location(parameters = {}) {
      const url = new URL(`postgres://aquifer@127.0.0.1:${port}/aquifer`);
      for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value);
      return url.href;
    },
    async administer(work, database = 'aquifer') {
      const client = new pg.Client({ connectionString: `postgres://postgres@127.0.0.1:${port}/${database}` });
      client.on('error', () => {});
      await client.connect();
      try {
        return await work(client);
      } finally {
        await client.end();
      }
    },
    async run(sql, database) {
      await server.administer((client) => client.query(sql), database);
    },
    start: () => control('-l', join(folder, 'log'), 'start'),
    halt: (mode) => control('-m', mode, 'stop'),
    restart: (mode) => control('-l', join(folder, 'log'), '-m', mode, 'restart'),
    async remove() {
      await server.halt('immediate').catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  await server.run('CREATE ROLE aquifer LOGIN', 'postgres');
  await server.run('CREATE DATABASE aquifer OWNER aquifer', 'postgres');
  await server.run('CREATE EXTENSION vector');
  return server;
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const listener = createServer();
    listener.on('error', reject);
    listener.listen(0, '127.0.0.1', () => {
      const { port } = listener.address() as { port: number };
      listener.close(() => resolve(port));
    });
  });
}
