import { AquiferError } from '@aquifer/contracts';

/** A place in a bucket: an object, or all objects below a prefix. */
export interface S3Location {
  readonly bucket: string;
  /** Key of an object, or a prefix without the slash at its end. Empty: the whole bucket. */
  readonly path: string;
  /** `s3://bucket` or `s3://bucket/path`, keys spelled as the bucket spells them. */
  readonly uri: string;
}

/** Whether what is to be indexed is in a bucket, not on a disk. */
export function isS3Location(location: string): boolean {
  return /^s3:\/\//i.test(location);
}

/**
 * Reads `s3://bucket` and `s3://bucket/prefix`. Nothing in it is percent-encoded, as in the AWS command line.
 *
 * @throws `invalid-options` for what names no bucket
 */
export function parseS3Location(location: string): S3Location {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(location) ?? [];
  // 63 letters are the limit of AWS; others' buckets may have longer names and capitals.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) {
    const hint = /^arn:/i.test(bucket) ? ' Name an access point by its alias, which can be used like a bucket.' : '';
    throw new AquiferError(
      'invalid-options',
      `${JSON.stringify(location)} names no bucket: write s3://bucket or s3://bucket/prefix.${hint}`,
    );
  }
  return s3Location(bucket, rest.replace(/\/+$/, ''));
}

export function s3Location(bucket: string, path: string): S3Location {
  return { bucket, path, uri: path === '' ? `s3://${bucket}` : `s3://${bucket}/${path}` };
}
