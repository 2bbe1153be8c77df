import assert from 'node:assert/strict';
import crypto, { createHash, createHmac } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { describe, it, mock } from 'node:test';
import { SignatureV4 } from '@smithy/signature-v4';
import { type SignableRequest, signRequest, verifySignature } from './signature.js';
import { WireException } from './wire-error.js';

const key = { accessKeyId: 'AQUIFER1', secretAccessKey: 'a secret/with+signs', name: 'team' };
const at = Date.UTC(2026, 0, 31, 23, 58, 0);
const rules = {
  keys: [{ accessKeyId: 'OTHER', secretAccessKey: 'x', name: 'other' }, key],
  service: 'bedrock',
  now: at,
};

/** What AWS checks its own requests with. */
class Sha256 {
  #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer);
  }
  update(data: Uint8Array | string) {
    this.#hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
  reset() {}
}

const signer = new SignatureV4({
  credentials: key,
  region: 'eu-central-1',
  service: 'bedrock',
  sha256: Sha256 as never,
});
const path = '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.anthropic.claude-v2%3A1/invoke';
const plain = {
  method: 'POST',
  protocol: 'https:',
  hostname: 'localhost',
  path,
  query: { b: "it's (a) *", a: '1' },
  headers: { host: 'localhost', 'content-type': 'application/json', 'x-amzn-bedrock-trace': '  ENABLED   now ' },
  body: '{"inputText":"東京"}',
};
const target = `${path}?b=it%27s%20%28a%29%20%2A&a=1`;
const body = Buffer.from(plain.body);

async function signed(change: Partial<SignableRequest> = {}): Promise<SignableRequest> {
  const { headers } = await signer.sign(plain, { signingDate: new Date(at) });
  return { method: 'POST', target, headers, body, ...change };
}

function refusal(request: SignableRequest, change: Partial<typeof rules> = {}): string {
  try {
    verifySignature(request, { ...rules, ...change });
  } catch (error) {
    assert.ok(error instanceof WireException);
    return `${error.name}: ${error.message}`;
  }
  return assert.fail('accepted');
}

describe('signatures', () => {
  it("are those of AWS's own signer, in headers and in the query", async () => {
    assert.equal(verifySignature(await signed(), rules).name, 'team');
    const { host: _, ...others } = (await signed()).headers;
    assert.equal(
      verifySignature(await signed({ headers: { ...others, ':authority': 'localhost' } }), rules).name,
      'team',
    );

    const presigned = await signer.presign(plain, { signingDate: new Date(at), expiresIn: 3600 });
    const query = Object.entries(presigned.query!).map(
      ([name, value]) => `${name}=${encodeURIComponent(value as string)}`,
    );
    const request = { method: 'POST', target: `${path}?${query.join('&')}`, headers: presigned.headers, body };
    assert.equal(verifySignature(request, { ...rules, now: at + 3_500_000 }).name, 'team');
    assert.match(refusal(request, { now: at + 3_700_000 }), /^InvalidSignatureException: Signature expired/);
  });

  it('are made the same way', async () => {
    const request = { method: 'POST', target, headers: plain.headers, body };
    const headers = signRequest(
      request,
      { ...key, sessionToken: 'token' },
      { region: 'x-1', service: 'bedrock', now: at },
    );
    assert.equal(headers['x-amz-security-token'], 'token');
    assert.equal(verifySignature({ ...request, headers }, rules).name, 'team');
  });

  it('belong to the request', async () => {
    const { headers } = await signed();
    const changes: Partial<SignableRequest>[] = [
      { method: 'PUT' },
      { target: `${target}&c=1` },
      { target: target.replace('v2', 'v1') },
      { body: Buffer.from('{"inputText":"大阪"}') },
      { headers: { ...headers, host: 'elsewhere' } },
      { headers: { ...headers, authorization: `${headers.authorization}0` } },
    ];
    for (const change of changes) {
      assert.match(refusal(await signed(change)), /^InvalidSignatureException: The request signature we calculated/);
    }
    assert.match(
      refusal(await signed(), { keys: [{ ...key, secretAccessKey: 'other' }] }),
      /^InvalidSignatureException/,
    );
  });

  it('are refused in the words of AWS', async () => {
    assert.match(refusal(await signed({ headers: { host: 'localhost' } })), /^MissingAuthenticationTokenException/);
    assert.match(refusal(await signed(), { keys: [] }), /^UnrecognizedClientException: The security token/);
    assert.match(refusal(await signed(), { service: 's3' }), /scoped to correct service: 's3'/);
    const { authorization: _, ...others } = (await signed()).headers;
    for (const authorization of ['AWS4-HMAC-SHA256 Credential=AQUIFER1/x', 'Basic abc', 'AWS4-HMAC-SHA256']) {
      assert.match(refusal(await signed({ headers: { ...others, authorization } })), /^IncompleteSignatureException/);
    }
    const unsigned = String((await signed()).headers.authorization).replace('host;', '');
    assert.match(refusal(await signed({ headers: { ...others, authorization: unsigned } })), /'Host'/);
  });

  it('last five minutes either way', async () => {
    // So a request that somebody recorded may be sent again within that time, as with AWS.
    const recorded = await signed();
    for (const minutes of [-4.9, 0, 0, 4.9]) verifySignature(recorded, { ...rules, now: at + minutes * 60_000 });
    assert.equal(
      refusal(await signed(), { now: at + 600_000 }),
      'InvalidSignatureException: Signature expired: 20260131T235800Z is now earlier than 20260201T000300Z (20260201T000800Z - 5 min.)',
    );
    assert.match(
      refusal(await signed(), { now: at - 600_000 }),
      /^InvalidSignatureException: Signature not yet current/,
    );
  });

  it('and secrets are compared in a time that says nothing about them', async () => {
    const secrets = ['token-1', 'token-2', 'a-longer-token-than-the-others'];
    const keys = secrets.map((secretAccessKey) => ({ accessKeyId: secretAccessKey, secretAccessKey, name: 't' }));
    const bearer = (token: string) => signed({ headers: { authorization: `Bearer ${token}` } });
    const compare = mock.method(crypto, 'timingSafeEqual');
    syncBuiltinESMExports();
    const compared = (): number => {
      const { calls } = compare.mock;
      for (const { arguments: sides } of calls)
        assert.deepEqual(
          sides.map(({ byteLength }) => byteLength),
          [32, 32],
        );
      compare.mock.resetCalls();
      return calls.length;
    };
    try {
      // Equal beginnings, other lengths: each is compared as a whole with every secret.
      for (const token of ['token-3', 'token-', 'token-11', 't', 'a-longer-token-than-the-other']) {
        assert.match(refusal(await bearer(token), { keys }), /^AccessDeniedException/, token);
        assert.equal(compared(), secrets.length, token);
      }
      assert.equal(verifySignature(await bearer('token-1'), { ...rules, keys }).name, 't');
      assert.equal(compared(), secrets.length);
      const { headers } = await signed();
      const { authorization } = headers;
      for (const other of [`${authorization}0`, String(authorization).slice(0, -1)]) {
        assert.match(refusal(await signed({ headers: { ...headers, authorization: other } })), /^InvalidSignature/);
        assert.equal(compared(), 1);
      }
      // Nothing else decides.
      compare.mock.mockImplementation(() => true);
      assert.equal(verifySignature(await bearer('token-3'), { ...rules, keys }).accessKeyId, 'token-1');
    } finally {
      compare.mock.restore();
      syncBuiltinESMExports();
    }
  });

  it('may be replaced by the secret as a bearer token', async () => {
    const bearer = (token: string) => signed({ headers: { authorization: `Bearer ${token}` } });
    const rulesWithToken = {
      ...rules,
      keys: [...rules.keys, { accessKeyId: 'T', secretAccessKey: 'token-1', name: 't' }],
    };
    assert.equal(verifySignature(await bearer('token-1'), rulesWithToken).name, 't');
    assert.match(refusal(await bearer('token-2')), /^AccessDeniedException: Authentication failed/);
  });
});
