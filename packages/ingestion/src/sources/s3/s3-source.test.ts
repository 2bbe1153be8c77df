import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAquiferError, parseMetadata, type SourceItem, type SourceOmission } from '@aquifer/contracts';
import { bucketOfTenThousand, createTestBucket, needsS3, type TestBucket } from './s3.test-fixture.js';
import { createS3Source, readS3Item, type S3SourceOptions } from './s3-source.js';

const parseSidecar: S3SourceOptions['parseSidecar'] = (bytes, name) =>
  parseMetadata(JSON.parse(Buffer.from(bytes).toString()), name);

async function list(bucket: Pick<TestBucket, 'name' | 'client'>, options: Partial<S3SourceOptions> = {}) {
  const source = createS3Source({
    client: bucket.client,
    root: `s3://${bucket.name}`,
    recognises: (name) => name.endsWith('.md'),
    parseSidecar,
    ...options,
  });
  const items: SourceItem[] = [];
  const omissions: SourceOmission[] = [];
  for await (const entry of source.list()) {
    if ('omitted' in entry) omissions.push(entry);
    else items.push(entry);
  }
  return { source, items, omissions, paths: items.map(({ path }) => path) };
}

const read = async (item: SourceItem | undefined) => {
  assert.ok(item);
  const { bytes, metadata, stamp } = await item.read();
  return { text: Buffer.from(bytes).toString(), metadata, stamp };
};

describe('an S3 source', needsS3, () => {
  it('lists 10,000 objects, page by page', async () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `${index % 100}/${index}.md`);
    const { paths } = await list(bucketOfTenThousand());
    assert.deepEqual(paths, keys.sort());
  });

  it('names documents by their keys below the prefix, and takes no other prefix for it', async () => {
    const bucket = await createTestBucket();
    for (const key of ['hand/a.md', 'hand/people/b.md', 'handbook/c.md', 'hand', 'd.md']) await bucket.put(key, key);
    const { source, items } = await list(bucket, { root: `s3://${bucket.name}/hand/` });
    assert.equal(source.id, `s3://${bucket.name}/hand`);
    assert.deepEqual(
      items.map(({ path, uri, bytes }) => [path, uri, bytes]),
      [
        ['a.md', `s3://${bucket.name}/hand/a.md`, 9],
        ['people/b.md', `s3://${bucket.name}/hand/people/b.md`, 16],
      ],
    );
    assert.equal((await read(items[1])).text, 'hand/people/b.md');
  });

  it('lists and reads awkward keys', async () => {
    const bucket = await createTestBucket();
    const long = `${'é'.repeat(510)}.md`;
    assert.equal(Buffer.byteLength(long), 1_023);
    const keys = [
      '-rf.md',
      ' two  spaces .md',
      'a+b&c=d?e#f%20%41.md',
      'two//slashes.md',
      '/leading.md',
      'cafe\u0301.md',
      'quote"\'<&>.md',
      'tab\t.md',
      '日本語/休暇.md',
      `${long}`,
    ];
    for (const key of keys) await bucket.put(key, key);
    const { items, omissions } = await list(bucket);
    assert.deepEqual(omissions, []);
    assert.deepEqual(
      items.map(({ path }) => path),
      keys.map((key) => key.normalize('NFC')).sort(),
    );
    for (const item of items) {
      const key = item.uri.slice(`s3://${bucket.name}/`.length);
      assert.ok(keys.includes(key), key);
      assert.equal((await read(item)).text, key);
    }
  });

  it('takes markers of folders for nothing, and dots in names as folders have them', async () => {
    const bucket = await createTestBucket();
    for (const key of ['empty/', 'a/', 'a/b.md']) await bucket.put(key, key.endsWith('/') ? '' : 'b');
    await bucket.put('full/', 'not empty');
    for (const key of ['a/../up.md', '.hidden.md', 'node_modules/x/y.md', '~$a.md']) await bucket.put(key, 'x');
    const { paths, omissions } = await list(bucket);
    assert.deepEqual(paths, ['a/b.md']);
    assert.deepEqual(
      omissions.map(({ path, omitted }) => `${omitted} ${path}`),
      ['hidden .hidden.md', 'hidden a/..', 'unsupported full/', 'hidden node_modules', 'hidden ~$a.md'],
    );
  });

  it('reports two keys that are one name in different Unicode forms', async () => {
    const bucket = await createTestBucket();
    for (const key of ['caf\u00e9.md', 'cafe\u0301.md']) await bucket.put(key, key);
    const { paths, omissions } = await list(bucket);
    assert.deepEqual(paths, ['caf\u00e9.md']);
    assert.deepEqual(
      omissions.map(({ path, omitted }) => [path, omitted]),
      [['caf\u00e9.md', 'unreadable']],
    );
  });

  it('keeps to ignore files, globs and other roots', async () => {
    const bucket = await createTestBucket();
    await bucket.put('r/.aquiferignore', 'drafts/\n*.tmp.md\n');
    await bucket.put('r/sub/.aquiferignore', '!keep.tmp.md\n');
    for (const key of ['drafts/a.md', 'b.tmp.md', 'sub/keep.tmp.md', 'c.md', 'log.md', 'own/d.md', 'e.txt']) {
      await bucket.put(`r/${key}`, 'x');
    }
    const options = { root: `s3://${bucket.name}/r`, exclude: ['log.md'], without: ['own'] };
    const { paths, omissions } = await list(bucket, options);
    assert.deepEqual(paths, ['c.md', 'sub/keep.tmp.md']);
    assert.deepEqual(
      omissions.map(({ path, omitted }) => `${omitted} ${path}`),
      ['excluded b.tmp.md', 'excluded drafts', 'unsupported e.txt', 'excluded log.md'],
    );
    const described = await list(bucket, {
      ...options,
      paths: ['e.txt'],
      describeOther: (name) => `${name} is no good.`,
    });
    assert.equal(described.omissions[0]?.reason, 'e.txt is no good.');
    const part = await list(bucket, { ...options, paths: ['sub/keep.tmp.md', 'b.tmp.md'] });
    assert.deepEqual(part.paths, ['sub/keep.tmp.md']);
    assert.match(part.omissions[0]?.reason ?? '', /\.aquiferignore: \*\.tmp\.md/);
  });

  it('covers parts: an object, a prefix, and a name in either Unicode form', async () => {
    const bucket = await createTestBucket();
    for (const key of ['a.md', 'a.md/inside.md', 'a.md.metadata.json', 'a.md2.md', 'p/b.md', 'p2/c.md', 'u\u0308.md']) {
      await bucket.put(key, key.endsWith('.json') ? '{"metadataAttributes":{}}' : key);
    }
    const { source, paths } = await list(bucket, { paths: ['a.md', 'p', '\u00fc.md'] });
    assert.deepEqual(source.scope, ['a.md', 'p', '\u00fc.md']);
    assert.deepEqual(paths, ['a.md', 'a.md/inside.md', 'p/b.md', '\u00fc.md']);
    await assert.rejects(list(bucket, { paths: ['missing'] }), (error) => isAquiferError(error, 'source-not-found'));
  });

  it('reads sidecars, and their changes change the stamp', async () => {
    const bucket = await createTestBucket();
    await bucket.put('a.md', 'text');
    const stampOf = async () => (await list(bucket)).items[0]?.stamp;
    const alone = await stampOf();
    await bucket.put('a.md.metadata.json', '{"country":"JP"}');
    const { items, paths } = await list(bucket);
    assert.deepEqual(paths, ['a.md']);
    const content = await read(items[0]);
    assert.deepEqual(content.metadata, { country: 'JP' });
    assert.equal(content.stamp, items[0]?.stamp);
    assert.notEqual(content.stamp, alone);
    await bucket.put('a.md.metadata.json', '{"country":"DE"}');
    assert.notEqual(await stampOf(), content.stamp);
    await bucket.delete('a.md.metadata.json');
    assert.equal(await stampOf(), alone);
    // Listed with it, gone when it is read.
    assert.deepEqual((await read(items[0])).metadata, {});
  });

  it('gives another stamp for other content of the same length, and the same one for the same content again', async () => {
    const bucket = await createTestBucket();
    const stampOf = async () => (await list(bucket)).items[0]?.stamp;
    await bucket.put('a.md', 'one');
    const one = await stampOf();
    await bucket.put('a.md', 'two');
    assert.notEqual(await stampOf(), one);
    await bucket.put('a.md', 'one');
    assert.equal(await stampOf(), one);
  });

  it('reads what is there now, under its own stamp, where an object changed since it was listed', async () => {
    const bucket = await createTestBucket();
    await bucket.put('a.md', 'before');
    const { items } = await list(bucket);
    await bucket.put('a.md', 'after that');
    const { text, stamp } = await read(items[0]);
    assert.equal(text, 'after that');
    assert.equal(stamp, (await list(bucket)).items[0]?.stamp);
  });

  it('says that an object vanished since it was listed', async () => {
    const bucket = await createTestBucket();
    await bucket.put('a.md', 'x');
    const { items } = await list(bucket);
    await bucket.delete('a.md');
    await assert.rejects(read(items[0]), (error) => isAquiferError(error, 'source-changed'));
  });

  it('takes the newest version, and none behind a delete marker', async () => {
    const bucket = await createTestBucket({ versions: true });
    await bucket.put('a.md', 'first');
    await bucket.put('a.md', 'second');
    await bucket.put('b.md', 'b');
    const { items } = await list(bucket);
    assert.equal((await read(items[0])).text, 'second');
    await bucket.delete('a.md');
    assert.deepEqual((await list(bucket)).paths, ['b.md']);
    await assert.rejects(read(items[0]), (error) => isAquiferError(error, 'source-changed'));
  });

  it('is read elsewhere by the URI of an object, with its sidecar where there is one', async () => {
    const bucket = await createTestBucket();
    await bucket.put('cafe\u0301 + more#.md', 'text');
    await bucket.put('plain.md', 'plain');
    await bucket.put('cafe\u0301 + more#.md.metadata.json', '{"country":"FR"}');
    const { items } = await list(bucket);
    const ways = { client: bucket.client, maxBytes: 10, parseSidecar };
    for (const { path, uri, stamp, read: readHere } of items) {
      const content = await readS3Item({ path, uri }, { ...ways, maxBytes: 100 });
      assert.deepEqual(content, await readHere());
      assert.equal(content.stamp, stamp);
    }
    assert.deepEqual(
      (await Promise.all(items.map((item) => item.read()))).map(({ metadata }) => metadata),
      [{ country: 'FR' }, {}],
    );
    await bucket.put('plain.md', 'longer than it may be');
    await assert.rejects(readS3Item({ path: 'plain.md', uri: `s3://${bucket.name}/plain.md` }, ways), (error) =>
      isAquiferError(error, 'too-large'),
    );
  });

  it('says that there is no such bucket', async () => {
    const bucket = await createTestBucket();
    await assert.rejects(list(bucket, { root: 's3://not-there-at-all' }), (error) =>
      isAquiferError(error, 'source-not-found'),
    );
  });
});
