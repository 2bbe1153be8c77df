import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { isS3Location, parseS3Location } from './s3-location.js';

describe('parseS3Location', () => {
  it('takes the bucket and the key as they are written', () => {
    const path = (location: string) => {
      const { bucket, path } = parseS3Location(location);
      return [bucket, path];
    };
    assert.deepEqual(path('s3://acme'), ['acme', '']);
    assert.deepEqual(path('s3://acme/'), ['acme', '']);
    assert.deepEqual(path('s3://acme/hand book/'), ['acme', 'hand book']);
    assert.deepEqual(path('s3://acme/50%25/a+b?c#d.md'), ['acme', '50%25/a+b?c#d.md']);
    assert.deepEqual(path('s3://acme//leading'), ['acme', '/leading']);
    assert.deepEqual(path('s3://acme/two\nlines.md'), ['acme', 'two\nlines.md']);
  });

  it('gives a URI that gives the same place again', () => {
    for (const location of ['s3://acme', 's3://acme/a/b/', 's3://acme//a//b.md', 's3://acme/cafe\u0301.md']) {
      const { uri } = parseS3Location(location);
      assert.equal(parseS3Location(uri).uri, uri);
    }
  });

  it('refuses what names no bucket, and says how access points are named', () => {
    for (const location of [
      's3://',
      's3:///key',
      's3://a b/key',
      's3://-acme',
      's3://arn:aws:s3:eu-west-1:1:accesspoint/x',
    ]) {
      assert.throws(
        () => parseS3Location(location),
        (error) => isAquiferError(error, 'invalid-options'),
      );
    }
    assert.throws(() => parseS3Location('s3://arn:aws:s3:eu-west-1:1:accesspoint/x'), /alias/);
  });

  it('tells buckets from folders', () => {
    assert.ok(isS3Location('s3://acme/handbook'));
    assert.ok(!isS3Location('./s3:/acme'));
    assert.ok(!isS3Location('s3/acme'));
  });
});
