import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { settingNames, variableOf } from 'aquifer';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (name: string) => readFileSync(join(root, name), 'utf8');

interface Service {
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly networks: readonly string[];
}
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<'database' | 'service' | 'worker', Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};
const { database, service, worker } = compose.services;
const dockerfile = read('Dockerfile');
const bin = join(root, 'apps/cli/bin/aquifer.js');

describe('docker-compose.yml and Dockerfile', () => {
  it('publish no port of the database, and that of the service on this machine only', () => {
    assert.equal(database.ports, undefined);
    assert.deepEqual(database.networks, ['inside']);
    assert.equal(worker.ports, undefined);
    assert.ok(service.ports?.every((port) => port.startsWith('127.0.0.1:')));
  });

  it('hold no password, and no file of secrets gets into the image or the repository', () => {
    for (const { file } of Object.values(compose.secrets)) assert.match(file, /^\.\/secrets\//);
    for (const { environment, secrets } of Object.values(compose.services)) {
      for (const [name, value] of Object.entries(environment)) {
        if (/PASSWORD|SECRET|KEY/.test(name)) assert.match(value, /^\/run\/secrets\//, name);
      }
      for (const secret of secrets) assert.ok(secret in compose.secrets);
    }
    assert.equal(new URL(String(service.environment.AQUIFER_KB)).password, '');
    assert.match(read('.dockerignore'), /^secrets$/m);
    assert.match(read('.gitignore'), /^secrets\/$/m);
  });

  it('name settings that there are, and run as a user without rights on a file system that is read-only', () => {
    const variables = settingNames.map(variableOf);
    for (const { environment, read_only: readOnly } of [service, worker]) {
      for (const name of Object.keys(environment)) assert.ok(variables.includes(name), name);
      assert.equal(readOnly, true);
    }
    assert.match(dockerfile, /^USER node$/m);
    const entrypoint = /^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1];
    assert.equal(JSON.parse(entrypoint ?? '[]')[1], '/app/apps/cli/bin/aquifer.js');
  });
});

const server = process.env.AQUIFER_TEST_POSTGRES;
const needsServer = server ? {} : { skip: 'AQUIFER_TEST_POSTGRES names no server: bash scripts/test-deployment.sh' };

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

describe('the commands of the containers, as processes', needsServer, () => {
  it('become healthy, index what they are given, and stop when they are told to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aquifer-deployment-'));
    const password = join(folder, 'password');
    writeFileSync(password, 'only for these tests\n');
    const [servicePort, metricsPort] = [await freePort(), await freePort()];
    /** What is elsewhere on this machine; all else is as docker-compose.yml has it. */
    const here: Readonly<Record<string, string>> = {
      AQUIFER_KB: String(server),
      AQUIFER_KB_PASSWORD_FILE: password,
      AQUIFER_PORT: String(servicePort),
      AQUIFER_UPLOADS: join(folder, 'uploads'),
      AQUIFER_METRICS_PORT: String(metricsPort),
    };
    const running: ChildProcess[] = [];
    const environmentOf = ({ environment }: Service) => ({
      PATH: process.env.PATH,
      HOME: folder,
      ...environment,
      ...here,
    });
    const run = (of: Service, args: readonly string[]) =>
      spawnSync(process.execPath, [bin, ...args], { cwd: folder, env: environmentOf(of), encoding: 'utf8' });
    const start = (of: Service) => {
      const child = spawn(process.execPath, [bin, ...(of.command ?? [])], { cwd: folder, env: environmentOf(of) });
      running.push(child);
      return child;
    };
    const isHealthy = ({ healthcheck: { test } }: Service, from: string, to: number) => {
      const [kind, program = '', ...args] = test;
      assert.equal(kind, 'CMD');
      const moved = args.map((each) => each.replace(`127.0.0.1:${from}`, `127.0.0.1:${to}`));
      return spawnSync(program, moved, { timeout: 10_000 }).status === 0;
    };
    const becomesHealthy = async (of: Service, from: string, to: number) => {
      for (let attempt = 0; attempt < 100; attempt++) {
        if (isHealthy(of, from, to)) return;
        await pause(200);
      }
      assert.fail(`${of.command} did not become healthy`);
    };
    const stop = async (child: ChildProcess) => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const [status] = await ended;
      return status;
    };
    try {
      const alone = run(service, service.command ?? []);
      assert.notEqual(alone.status, 0);
      assert.match(alone.stderr, /key/i);
      assert.equal(run(service, ['keys', 'create', '--scopes', 'read']).status, 0);

      assert.ok(!isHealthy(worker, '9464', metricsPort));
      const [served, working] = [start(service), start(worker)];
      await becomesHealthy(service, '8420', servicePort);
      await becomesHealthy(worker, '9464', metricsPort);

      mkdirSync(join(folder, 'documents'));
      writeFileSync(join(folder, 'documents', 'a.md'), '# Page\n\nA page for the worker.');
      const indexed = run(worker, ['index', join(folder, 'documents'), '--json']);
      assert.equal(indexed.status, 0, indexed.stderr);
      assert.equal(JSON.parse(indexed.stdout.trimEnd().split('\n').at(-1) ?? '').new, 1);

      assert.equal(await stop(served), 0);
      assert.equal(await stop(working), 0);
    } finally {
      for (const child of running) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
