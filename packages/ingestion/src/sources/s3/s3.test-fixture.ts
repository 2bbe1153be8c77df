import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';

/** A server that speaks S3's API: see scripts/test-s3.sh. */
const address = process.env.AQUIFER_TEST_S3;

/** Spread into the options of tests that need the server. */
export const needsS3: { readonly skip?: string } =
  address === undefined ? { skip: 'AQUIFER_TEST_S3 names no server: bash scripts/test-s3.sh starts one' } : {};

/** A bucket of its own on the test server. */
export interface TestBucket {
  readonly name: string;
  readonly client: S3Client;
  put(key: string, body: string | Uint8Array): Promise<void>;
  /** Many at once, of plain names, without the SDK: the test server checks no signatures. */
  putAll(keys: readonly string[]): Promise<void>;
  delete(key: string): Promise<void>;
}

let made = 0;

export async function createTestBucket(options: { readonly versions?: boolean } = {}): Promise<TestBucket> {
  const client = new S3Client({
    endpoint: address,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const name = `aquifer-${process.pid}-${Date.now()}-${made++}`;
  await client.send(new CreateBucketCommand({ Bucket: name }));
  if (options.versions) {
    await client.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }));
  }
  return {
    name,
    client,
    async put(key, body) {
      await client.send(new PutObjectCommand({ Bucket: name, Key: key, Body: body }));
    },
    async putAll(keys) {
      const waiting = [...keys];
      const worker = async () => {
        for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
          const answer = await fetch(`${address}/${name}/${key}`, { method: 'PUT', body: key });
          if (!answer.ok) throw new Error(`PUT ${key}: status ${answer.status}`);
        }
      };
      await Promise.all(Array.from({ length: 8 }, worker));
    },
    async delete(key) {
      await client.send(new DeleteObjectCommand({ Bucket: name, Key: key }));
    },
  };
}
