import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/aquifer.js', import.meta.url));

describe('aquifer doctor', () => {
  let folder: string;
  let aws: Record<string, string> = {};
  const run = (...args: string[]) => {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
    const files = { AWS_CONFIG_FILE: join(folder, 'none'), AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none') };
    const env = { ...Object.fromEntries(inherited), ...files, AWS_EC2_METADATA_DISABLED: 'true', ...aws };
    return spawnSync(process.execPath, [bin, ...args], { cwd: folder, encoding: 'utf8', env });
  };
  const examine = (...args: string[]) => {
    const { status, stdout, stderr } = run('doctor', '--json', ...args);
    assert.notEqual(stdout, '', stderr);
    const { works, findings } = JSON.parse(stdout) as {
      works: boolean;
      findings: { name: string; status: string; found: string; fix?: string }[];
    };
    return { status, works, findings, of: (name: string) => findings.find((finding) => finding.name === name) };
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-doctor-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('looks at the machine before there is an index, and makes none', () => {
    const { status, works, findings, of } = examine();
    assert.deepEqual([status, works], [0, true]);
    assert.deepEqual(
      ['Node.js', 'SQLite', 'exact search', 'index', 'terminal'].map((name) => of(name)?.status),
      ['ok', 'ok', 'ok', 'ok', 'ok'],
    );
    assert.match(String(of('Node.js')?.found), new RegExp(`^${process.versions.node} `));
    assert.match(String(of('index')?.fix), /aquifer index/);
    // Whatever is missing is said together with what mends it.
    for (const { name, status: state, fix } of findings) if (state !== 'ok') assert.ok(fix, name);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('says whether Bedrock can be reached with credentials, and shows none of them whole', () => {
    const without = examine().of('Bedrock');
    assert.deepEqual([without?.status, without?.found.includes('no AWS region and no credentials')], ['limited', true]);
    aws = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'hidden' };
    const bedrock = examine().of('Bedrock');
    assert.equal(bedrock?.status, 'ok');
    assert.match(String(bedrock?.found), /AKIA….*eu-central-1/);
    assert.doesNotMatch(JSON.stringify(bedrock), /IOSFODNN|hidden/);
    aws = {};
  });

  it('checks the index, and ends with 1 when it is of no use', () => {
    mkdirSync(join(folder, 'texts'));
    writeFileSync(join(folder, 'texts', 'note.txt'), 'The pump house opens at nine.');
    const indexed = run('index', 'texts');
    assert.equal(indexed.status, 0, indexed.stderr);
    assert.match(String(examine().of('index')?.found), /sound/);
    const shown = run('doctor');
    assert.equal(shown.status, 0, shown.stderr);
    assert.match(shown.stdout, /indexing, searching and answering work here/);

    truncateSync(join(folder, '.aquifer', 'index.sqlite'), 5_000);
    const { status, works, of } = examine();
    assert.deepEqual([status, works, of('index')?.status], [1, false, 'failed']);
    assert.match(run('doctor').stdout, /does not work yet/);
  });
});
