import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { type AquiferError, isAquiferError } from '@aquifer/contracts';
import { S3Client } from '@aws-sdk/client-s3';
import { openS3Bucket, type S3Bucket } from './s3-bucket.js';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** A bucket on a server that answers as S3 does in trouble: bodies as in S3's own documentation. */
async function withServer<Result>(
  answer: RequestListener,
  use: (bucket: S3Bucket) => Promise<Result>,
): Promise<Result> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials, maxAttempts: 2 });
  try {
    return await use(openS3Bucket(client, 'acme'));
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
}

const refusal =
  (status: number, code: string, message: string, more = ''): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<Error><Code>${code}</Code><Message>${message}</Message>${more}<RequestId>1</RequestId></Error>`);
  };

async function errorOf(promise: Promise<unknown>): Promise<AquiferError> {
  try {
    await promise;
  } catch (error) {
    if (isAquiferError(error)) return error;
    throw error;
  }
  throw new Error('It did not fail.');
}

const listing = async (bucket: S3Bucket) => {
  const keys: string[] = [];
  for await (const { key } of bucket.list('')) keys.push(key);
  return keys;
};

describe('errors of S3', () => {
  const cases = [
    {
      answer: refusal(403, 'InvalidAccessKeyId', 'The key does not exist in our records.'),
      code: 'credentials-refused',
      says: /AWS_ACCESS_KEY_ID.*AWS_PROFILE/,
    },
    {
      answer: refusal(400, 'ExpiredToken', 'The provided token has expired.'),
      code: 'credentials-refused',
      says: /aws sso login/,
    },
    {
      answer: refusal(403, 'RequestTimeTooSkewed', 'The difference is too large.'),
      code: 'credentials-refused',
      says: /clock/,
    },
    {
      answer: refusal(403, 'AccessDenied', 'Access Denied'),
      code: 'source-unreadable',
      says: /s3:ListBucket on arn:aws:s3:::acme/,
    },
    {
      answer: refusal(404, 'NoSuchBucket', 'The specified bucket does not exist'),
      code: 'source-not-found',
      says: /no bucket acme at http/,
    },
    {
      answer: refusal(
        400,
        'AuthorizationHeaderMalformed',
        "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'",
        '<Region>eu-west-1</Region>',
      ),
      code: 'source-unreadable',
      says: /in eu-west-1, and was asked for in us-east-1: set AWS_REGION=eu-west-1/,
    },
    {
      answer: refusal(301, 'PermanentRedirect', 'Address it by its endpoint.'),
      code: 'source-unreadable',
      says: /another region.*AWS_REGION/,
    },
    {
      answer: refusal(400, 'Strange', 'Something else.'),
      code: 'source-unreadable',
      says: /Something else\. \(Strange, status 400\)/,
    },
  ] as const;
  for (const { answer, code, says } of cases) {
    it(`says what to do: ${code}, ${says.source}`, async () => {
      const error = await withServer(answer, (bucket) => errorOf(listing(bucket)));
      assert.equal(error.code, code);
      assert.match(error.message, says);
    });
  }

  it('names the object and the permission where one may not be read', async () => {
    const error = await withServer(refusal(403, 'AccessDenied', 'Access Denied'), (bucket) =>
      errorOf(bucket.read('a.md', 10)),
    );
    assert.equal(error.code, 'source-unreadable');
    assert.match(error.message, /s3:\/\/acme\/a\.md.*s3:GetObject/);
  });

  it('says that an archived object is to be restored', async () => {
    const error = await withServer(refusal(403, 'InvalidObjectState', 'Not valid'), (bucket) =>
      errorOf(bucket.read('a.md', 10)),
    );
    assert.match(error.message, /archived.*Restore/);
  });

  it('leaves it to the SDK to try again, and no more often', async () => {
    let requests = 0;
    const busy = refusal(503, 'SlowDown', 'Please reduce your request rate.');
    const count: RequestListener = (request, response) => {
      requests += 1;
      busy(request, response);
    };
    const error = await withServer(count, (bucket) => errorOf(bucket.read('a.md', 10)));
    assert.equal(requests, 2);
    assert.equal(error.retryable, true);
  });

  it('reads a body that broke off once more', async () => {
    let requests = 0;
    const half: RequestListener = (_request, response) => {
      requests += 1;
      response.writeHead(200, { 'content-length': 10, etag: '"1"' });
      response.write('01234');
      if (requests === 1) setTimeout(() => response.destroy(), 20);
      else response.end('56789');
    };
    const { content } = await withServer(half, (bucket) => bucket.read('a.md', 10));
    assert.equal(Buffer.from(content).toString(), '0123456789');
    assert.equal(requests, 2);
  });

  it('gives up an object that is longer than it may be, whether its length is told before or not', async () => {
    for (const headers of [{ 'content-length': 20 }, {}]) {
      const long: RequestListener = (_request, response) => {
        response.writeHead(200, headers);
        response.end('01234567890123456789');
      };
      const error = await withServer(long, (bucket) => errorOf(bucket.read('a.md', 10)));
      assert.equal(error.code, 'too-large');
    }
  });

  it('says that nobody answers, and where', async () => {
    const client = new S3Client({ endpoint: 'http://127.0.0.1:1', region: 'us-east-1', credentials, maxAttempts: 1 });
    const error = await errorOf(listing(openS3Bucket(client, 'acme')));
    assert.equal(error.code, 'source-unreadable');
    assert.match(error.message, /http:\/\/127\.0\.0\.1:1 does not answer.*ECONNREFUSED/);
  });

  it('says that the signal fired', async () => {
    const silent: RequestListener = () => {};
    const error = await withServer(silent, (bucket) => errorOf(bucket.read('a.md', 10, AbortSignal.timeout(50))));
    assert.equal(error.code, 'aborted');
  });

  it('reads keys that XML cannot write, and goes on page by page', async () => {
    const page = (keys: readonly string[], more: string) =>
      `<ListBucketResult><EncodingType>url</EncodingType>${more}${keys
        .map((key) => `<Contents><Key>${key}</Key><Size>1</Size><ETag>&quot;1&quot;</ETag></Contents>`)
        .join('')}</ListBucketResult>`;
    const pages: RequestListener = (request, response) => {
      response.setHeader('content-type', 'application/xml');
      const isSecond = request.url?.includes('continuation-token=next');
      const first = page(
        ['two%0Alines.md', 'plus%2Band+space.md'],
        '<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>',
      );
      response.end(isSecond ? page(['bell%07.md'], '<IsTruncated>false</IsTruncated>') : first);
    };
    assert.deepEqual(await withServer(pages, listing), ['two\nlines.md', 'plus+and space.md', 'bell\u0007.md']);
  });
});
