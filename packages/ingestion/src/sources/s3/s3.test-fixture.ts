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
  delete(key: string): Promise<void>;
}

const createClient = () =>
  new S3Client({
    endpoint: address,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });

/** The bucket of 10,000 objects, 0/0.md to 99/9999.md, that scripts/s3-server.py fills. It is everybody's: nothing is written to it. */
export const bucketOfTenThousand = () => ({ name: 'ten-thousand', client: createClient() });

let made = 0;

export async function createTestBucket(options: { readonly versions?: boolean } = {}): Promise<TestBucket> {
  const client = createClient();
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
    async delete(key) {
      await client.send(new DeleteObjectCommand({ Bucket: name, Key: key }));
    },
  };
}
