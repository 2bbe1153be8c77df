import { AquiferError, isAquiferError } from '@aquifer/contracts';
import { connectS3, openS3Bucket, parseS3Location, type S3Connection } from '@aquifer/ingestion';

export interface ReadObjectOptions {
  readonly maxBytes: number;
  readonly s3?: S3Connection | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of one object of a bucket.
 *
 * @throws `source-not-found`, `too-large`, `credentials-refused`, `source-unreadable`, `invalid-options` for what names no bucket, `aborted`
 * @example
 * const bytes = await readObject('s3://handbook/people/leave.pdf', { maxBytes: 10 * 2 ** 20 });
 */
export async function readObject(location: string, { maxBytes, s3, signal }: ReadObjectOptions): Promise<Uint8Array> {
  const { bucket, path, uri } = parseS3Location(location);
  const client = await connectS3(s3);
  try {
    return (await openS3Bucket(client, bucket).read(path, maxBytes, signal)).content;
  } catch (error) {
    // Of an object that was listed before it would have been deleted since.
    if (!isAquiferError(error, 'source-changed')) throw error;
    throw new AquiferError('source-not-found', `There is no object ${uri}.`, { cause: error });
  } finally {
    if (s3?.client === undefined) client.destroy();
  }
}
