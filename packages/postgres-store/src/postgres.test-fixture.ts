import { openAsBlob } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

/** A database for tests, reached as any other. */
export interface TestDatabase {
  /** `pglite` is one process of PostgreSQL without a server: every statement waits for the one before, whoever sent it. */
  readonly kind: 'pglite' | 'server';
  /** The location of a knowledge base that no other test has. */
  location(parameters?: Readonly<Record<string, string>>): string;
  stop(): Promise<void>;
}

/** The server that AQUIFER_TEST_POSTGRES names (see scripts/test-postgres.sh), else PostgreSQL compiled to WebAssembly. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const server = process.env.AQUIFER_TEST_POSTGRES;
  if (server !== undefined) {
    return { kind: 'server', location: locations(server), stop: async () => {} };
  }
  const database = await PGlite.create({ extensions: { vector }, loadDataDir: await emptyCluster() });
  // Port 0: the system chooses a free one.
  const socket = new PGLiteSocketServer({ db: database, port: 0, maxConnections: 8 });
  await socket.start();
  return {
    kind: 'pglite',
    // Two transactions at a time would be statements of one session, and COPY has no way through the socket.
    location: locations(`postgres://postgres@${socket.getServerConn()}/postgres?max=1&copy=off`),
    async stop() {
      await socket.stop();
      await database.close();
    },
  };
}

/** A cluster as initdb leaves it, which takes seconds: made once for a version of PGlite, and copied. */
async function emptyCluster(): Promise<Blob> {
  const folder = fileURLToPath(new URL('..', import.meta.resolve('@electric-sql/pglite')));
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  const cache = join(folder, '../../.cache');
  const file = join(cache, `pglite-${version}.tar`);
  try {
    return await openAsBlob(file);
  } catch {
    const database = await PGlite.create({ extensions: { vector } });
    const cluster = await database.dumpDataDir('none');
    await database.close();
    await mkdir(cache, { recursive: true });
    // Test files that make it at the same time do not see each other's halves.
    const own = `${file}.${process.pid}`;
    await writeFile(own, Buffer.from(await cluster.arrayBuffer()));
    await rename(own, file);
    return cluster;
  }
}

function locations(address: string): TestDatabase['location'] {
  let made = 0;
  return (parameters = {}) => {
    const url = new URL(address);
    const name = `test ${process.pid} ${made++}`;
    for (const [key, value] of Object.entries({ name, ...parameters })) url.searchParams.set(key, value);
    return url.href;
  };
}
