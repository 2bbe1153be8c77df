import { addAbortSignal, type Readable } from 'node:stream';
import { AquiferError, allocateMapped, isAquiferError, throwIfAborted } from '@aquifer/contracts';
import type { GetObjectCommandOutput, ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import { describeS3Error, type S3RequestContext } from './s3-errors.js';

/**
 * How S3 is reached. What is left out follows the AWS SDK's own rules: `AWS_REGION`, `AWS_PROFILE`, `~/.aws`, container and instance roles,
 * `AWS_ENDPOINT_URL_S3`.
 */
export interface S3Connection {
  /** A ready client; the options below are then not used, and closing it is its owner's business. */
  readonly client?: S3Client;
  readonly region?: string;
  /** Of a server that speaks S3's API, such as `http://127.0.0.1:9000`. Its buckets are then asked for by path, not by host name. */
  readonly endpoint?: string;
  /** Of `~/.aws/config` and `~/.aws/credentials`. */
  readonly profile?: string;
}

/** An object as a listing shows it: in a bucket with versions its newest one, and none where that is a delete marker. */
export interface S3Object {
  readonly key: string;
  readonly bytes: number;
  /** Changes with the content. */
  readonly etag: string;
}

/** A bucket that is read. */
export interface S3Bucket {
  /** Objects whose keys begin with `prefix`, in order of key (UTF-8 bytes), page by page. @throws as `describeS3Error` */
  list(prefix: string, options?: { readonly limit?: number; readonly signal?: AbortSignal }): AsyncIterable<S3Object>;
  /**
   * The newest version of an object: one state of it, whatever is written meanwhile.
   *
   * @throws as `describeS3Error`, and `too-large`
   */
  read(key: string, maxBytes: number, signal?: AbortSignal): Promise<S3Object & { readonly content: Uint8Array }>;
}

const keysPerPage = 1_000;
const connectMs = 10_000;
/** A connection that says nothing for so long is broken. */
const silenceMs = 60_000;
/** The SDK tries requests again, but not a body that breaks off in the middle. */
const bodyAttempts = 3;
const unknownLengthBytes = 64 * 1_024;

/** The client of a connection; loads the SDK. Requests are retried by the SDK, by its own rules (`AWS_MAX_ATTEMPTS`). */
export async function connectS3({ client, region, endpoint, profile }: S3Connection = {}): Promise<S3Client> {
  if (client) return client;
  const { S3Client } = await import('@aws-sdk/client-s3');
  const connected = new S3Client({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(profile !== undefined && { profile }),
    requestHandler: { connectionTimeout: connectMs, socketTimeout: silenceMs },
  });
  // Few servers but AWS have a host name for every bucket.
  if ((await endpointOf(connected)) !== undefined) connected.config.forcePathStyle = true;
  return connected;
}

/** The address that was configured; undefined where it is AWS's own. */
async function endpointOf({ config }: S3Client): Promise<string | undefined> {
  if (!config.endpoint) return await config.serviceConfiguredEndpoint?.();
  const { protocol, hostname, port } = await config.endpoint();
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}

export function openS3Bucket(client: S3Client, bucket: string): S3Bucket {
  const fail = async (error: unknown, key: string | undefined, signal: AbortSignal | undefined): Promise<never> => {
    throwIfAborted(signal);
    const [region, endpoint] = await Promise.all([
      client.config.region().catch(() => undefined),
      endpointOf(client).catch(() => undefined),
    ]);
    const context: S3RequestContext = {
      bucket,
      ...(key !== undefined && { key }),
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint }),
    };
    throw describeS3Error(error, context);
  };

  async function readOnce(key: string, maxBytes: number, signal: AbortSignal | undefined) {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    const answer: GetObjectCommandOutput = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), {
      abortSignal: signal,
    });
    const body = answer.Body as Readable;
    const content = await collect(body, {
      key: `s3://${bucket}/${key}`,
      maxBytes,
      expected: answer.ContentLength,
      signal,
    });
    return { key, bytes: content.byteLength, etag: plainETag(answer.ETag), content };
  }

  return {
    async *list(prefix, { limit = Number.POSITIVE_INFINITY, signal } = {}) {
      const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
      let listed = 0;
      for (let token: string | undefined; ; ) {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          MaxKeys: Math.min(keysPerPage, limit - listed),
          // Keys may hold letters that XML has no way to write.
          EncodingType: 'url',
          ...(token !== undefined && { ContinuationToken: token }),
        });
        const page: ListObjectsV2CommandOutput = await client
          .send(command, { abortSignal: signal })
          .catch((error: unknown) => fail(error, undefined, signal));
        for (const { Key, Size, ETag } of page.Contents ?? []) {
          if (Key === undefined) continue;
          const key = page.EncodingType === 'url' ? decodeKey(Key) : Key;
          yield { key, bytes: Size ?? 0, etag: plainETag(ETag) };
          if (++listed >= limit) return;
        }
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
        if (token === undefined) return;
      }
    },
    async read(key, maxBytes, signal) {
      for (let attempt = 1; ; attempt += 1) {
        throwIfAborted(signal);
        try {
          return await readOnce(key, maxBytes, signal).catch((error: unknown) => fail(error, key, signal));
        } catch (error) {
          // Requests that failed have been tried again already.
          const isBodyBroken = isAquiferError(error) && error.retryable && !('$metadata' in error);
          if (attempt >= bodyAttempts || !isBodyBroken) throw error;
        }
      }
    },
  };
}

/** All of a body, which is given up where it is longer than `maxBytes`. */
async function collect(
  body: Readable,
  limits: {
    readonly key: string;
    readonly maxBytes: number;
    readonly expected?: number;
    readonly signal?: AbortSignal;
  },
): Promise<Uint8Array> {
  const { key, maxBytes, expected, signal } = limits;
  const refuse = (bytes: number) => {
    body.destroy();
    throw new AquiferError('too-large', `${key} has ${bytes} bytes or more, and at most ${maxBytes} are read.`);
  };
  if (expected !== undefined && expected > maxBytes) refuse(expected);
  if (signal) addAbortSignal(signal, body);
  // Memory of its own, not of Node's pool: readers hand it over to another thread.
  let content = allocateMapped(expected ?? unknownLengthBytes);
  let bytes = 0;
  for await (const part of body as AsyncIterable<Uint8Array>) {
    const end = bytes + part.byteLength;
    if (end > maxBytes) refuse(end);
    if (end > content.length) {
      const longer = allocateMapped(Math.max(end, content.length * 2));
      content.copy(longer, 0, 0, bytes);
      content = longer;
    }
    content.set(part, bytes);
    bytes = end;
  }
  if (expected !== undefined && bytes !== expected) {
    throw new AquiferError('source-unreadable', `${key} broke off after ${bytes} of ${expected} bytes.`, {
      retryable: true,
    });
  }
  return content.subarray(0, bytes);
}

/** Some servers spell spaces as plus signs, as HTML forms do. */
function decodeKey(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll('+', ' '));
}

/** Without the quotes, which not every server writes everywhere. */
const plainETag = (etag: string | undefined): string => (etag ?? '').replace(/^(?:W\/)?"(.*)"$/, '$1');
