import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createTestBucket, needsS3 } from '../../../packages/ingestion/dist/sources/s3/s3.test-fixture.js';

const bin = fileURLToPath(new URL('../bin/aquifer.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'aquifer-cli-s3-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Of this machine nothing but the path: no credentials, no region, no settings. */
const bare = {
  PATH: process.env.PATH,
  HOME: folder,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
};
const withServer = {
  ...bare,
  AWS_ENDPOINT_URL_S3: process.env.AQUIFER_TEST_S3,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
};

async function run(environment: Readonly<Record<string, string | undefined>>, ...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env: environment });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
    if (out.includes('looked at every minute')) child.kill('SIGINT');
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const [status] = await once(child, 'close');
  return { status, out, err };
}

describe('aquifer index s3://…', () => {
  it('says which settings are missing', async () => {
    const noRegion = await run(bare, 'index', 's3://acme/handbook', '--kb', 'none');
    assert.match(noRegion.err, /AWS_REGION/);
    assert.equal(noRegion.status, 2);
    const noKeys = await run({ ...bare, AWS_REGION: 'us-east-1' }, 'index', 's3://acme/handbook', '--kb', 'none');
    assert.match(noKeys.err, /AWS_ACCESS_KEY_ID.*aws sso login/);
    assert.equal(noKeys.status, 1);
  });

  it('reaches a server of its own by AWS_ENDPOINT_URL_S3, and names objects by their URIs', needsS3, async () => {
    const bucket = await createTestBucket();
    await bucket.put('hand book/leave.md', '# Leave\n\nEmployees may take 52 weeks of leave.');
    const root = `s3://${bucket.name}/hand book/`;
    const indexed = await run(withServer, 'index', root, '--json');
    assert.equal(indexed.status, 0, indexed.err);
    assert.equal(JSON.parse(indexed.out.trimEnd().split('\n').at(-1) ?? '').new, 1);
    const { out } = await run(bare, 'documents', '--json');
    assert.ok(out.includes(`${root}leave.md`), out);
  });

  it('watches by looking again, and says so', needsS3, async () => {
    const bucket = await createTestBucket();
    await bucket.put('a.md', 'Some text.');
    const { status, out } = await run(withServer, 'index', `s3://${bucket.name}`, '--kb', 'watched', '--watch');
    assert.match(out, /1 indexed.*\n.*s3:\/\/.* is looked at every minute; Ctrl-C ends/);
    assert.equal(status, 0);
  });
});
