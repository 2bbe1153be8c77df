import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type WireErrorName, WireException } from './wire-error.js';

/** What may sign requests. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A request as it goes over the wire. */
export interface SignableRequest {
  readonly method: string;
  /** Path and query, encoded as they are sent. */
  readonly target: string;
  /** With lower-case names, and `host` or `:authority` among them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface SignatureRules<Key extends AccessKey> {
  readonly keys: readonly Key[];
  /** The signing name, such as `bedrock`. */
  readonly service: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const algorithm = 'AWS4-HMAC-SHA256';
/** How far the clocks of two sides may be apart. */
const skewMs = 5 * 60_000;
const mostExpirySeconds = 7 * 24 * 3600;

/** What a signature is made over, besides the request. */
interface Scope {
  readonly accessKeyId: string;
  /** `20250131`. */
  readonly day: string;
  readonly region: string;
  readonly service: string;
}

/**
 * The key that signed this request, by header, in the query (presigned), or as a bearer token, which is the secret itself.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * @throws what AWS answers: MissingAuthenticationTokenException, IncompleteSignatureException, UnrecognizedClientException for an
 *   unknown key, InvalidSignatureException for a wrong signature, a changed body or a clock that is more than 5 minutes off.
 */
export function verifySignature<Key extends AccessKey>(request: SignableRequest, rules: SignatureRules<Key>): Key {
  const { path, query } = splitTarget(request.target);
  const authorization = headerValue(request, 'authorization');
  const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (bearer !== undefined) return keyOfSecret(bearer, rules.keys);
  const isPresigned = query.some(([name]) => name === 'X-Amz-Signature');
  if (authorization === undefined && !isPresigned) {
    return refuse('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const parts = isPresigned ? presignedParts(query) : headerParts(request, authorization!);
  const key = rules.keys.find(({ accessKeyId }) => accessKeyId === parts.scope.accessKeyId);
  if (key === undefined) {
    return refuse('UnrecognizedClientException', 'The security token included in the request is invalid.');
  }
  if (parts.scope.service !== rules.service) {
    return refuse('InvalidSignatureException', `Credential should be scoped to correct service: '${rules.service}'.`);
  }
  if (!parts.signedHeaders.includes('host') && !parts.signedHeaders.includes(':authority')) {
    return refuse(
      'IncompleteSignatureException',
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
  }
  checkTime(parts, rules.now);
  const expected = signatureOf(
    { ...request, path, query: query.filter(([name]) => name !== 'X-Amz-Signature') },
    parts,
    key.secretAccessKey,
  );
  if (isEqual(expected, parts.signature)) return key;
  return refuse(
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
}

/** The headers of a request with a signature among them. */
export function signRequest(
  request: SignableRequest,
  key: AccessKey,
  { region, service, now }: { readonly region: string; readonly service: string; readonly now: number },
): Record<string, string> {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(',');
  }
  headers['x-amz-date'] = time;
  if (key.sessionToken !== undefined) headers['x-amz-security-token'] = key.sessionToken;
  const scope = { accessKeyId: key.accessKeyId, day: time.slice(0, 8), region, service };
  const signedHeaders = Object.keys(headers).sort();
  const { path, query } = splitTarget(request.target);
  const signature = signatureOf(
    { ...request, headers, path, query },
    { scope, time, signedHeaders },
    key.secretAccessKey,
  );
  const credential = `${scope.accessKeyId}/${scope.day}/${region}/${service}/aws4_request`;
  headers.authorization = `${algorithm} Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return headers;
}

interface SignatureParts {
  readonly scope: Scope;
  /** `20250131T235959Z`. */
  readonly time: string;
  readonly signedHeaders: readonly string[];
}

interface GivenSignature extends SignatureParts {
  readonly signature: string;
  /** Of a presigned address. */
  readonly expirySeconds?: number;
}

function headerParts(request: SignableRequest, authorization: string): GivenSignature {
  const fields = new Map(
    authorization
      .replace(/^\S+\s*/, '')
      .split(',')
      .map((field) => field.trim().split('=', 2) as [string, string]),
  );
  const missing = ['Credential', 'SignedHeaders', 'Signature'].filter((name) => !fields.get(name));
  const time = headerValue(request, 'x-amz-date') ?? '';
  if (!authorization.startsWith(`${algorithm} `) || missing.length > 0 || time === '') {
    const problems = [...missing.map((name) => `Authorization header requires '${name}' parameter.`)];
    if (time === '')
      problems.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
    return refuse(
      'IncompleteSignatureException',
      problems.length > 0 ? problems.join(' ') : `Unsupported AWS 'algorithm': '${authorization.split(' ')[0]}'.`,
    );
  }
  return {
    scope: scopeOf(fields.get('Credential')!),
    time,
    signedHeaders: fields.get('SignedHeaders')!.toLowerCase().split(';'),
    signature: fields.get('Signature')!,
  };
}

function presignedParts(query: Query): GivenSignature {
  const values = new Map(query);
  const expirySeconds = Number(values.get('X-Amz-Expires'));
  if (values.get('X-Amz-Algorithm') !== algorithm || !(expirySeconds >= 1 && expirySeconds <= mostExpirySeconds)) {
    return refuse(
      'IncompleteSignatureException',
      'AWS query-string parameters must include X-Amz-Algorithm and X-Amz-Expires of at most a week.',
    );
  }
  return {
    scope: scopeOf(values.get('X-Amz-Credential') ?? ''),
    time: values.get('X-Amz-Date') ?? '',
    signedHeaders: (values.get('X-Amz-SignedHeaders') ?? '').toLowerCase().split(';'),
    signature: values.get('X-Amz-Signature') ?? '',
    expirySeconds,
  };
}

function scopeOf(credential: string): Scope {
  const [accessKeyId, day, region, service, end] = credential.split('/');
  if (!accessKeyId || !day || !region || !service || end !== 'aws4_request') {
    return refuse(
      'IncompleteSignatureException',
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
    );
  }
  return { accessKeyId, day, region, service };
}

function checkTime({ time, scope, expirySeconds }: GivenSignature, now: number): void {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time);
  if (match === null || scope.day !== time.slice(0, 8)) {
    refuse('IncompleteSignatureException', `Date in Credential scope does not match the ISO-8601 date '${time}'.`);
  }
  const [, year, month, day, hour, minute, second] = match!.map(Number) as number[];
  const signedAt = Date.UTC(year!, month! - 1, day, hour, minute, second);
  const text = (ms: number) => new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const lifeMs = expirySeconds === undefined ? skewMs : expirySeconds * 1000;
  if (signedAt + lifeMs < now) {
    refuse(
      'InvalidSignatureException',
      `Signature expired: ${time} is now earlier than ${text(now - lifeMs)} (${text(now)} - ${lifeMs / 60_000} min.)`,
    );
  }
  if (signedAt > now + skewMs) {
    refuse(
      'InvalidSignatureException',
      `Signature not yet current: ${time} is still later than ${text(now + skewMs)} (${text(now)} + 5 min.)`,
    );
  }
}

type Query = readonly (readonly [name: string, value: string])[];

function splitTarget(target: string): { readonly path: string; readonly query: Query } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: [] };
  const query = target
    .slice(mark + 1)
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
      return [decoded(name), decoded(value)] as const;
    });
  return { path: target.slice(0, mark), query };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** RFC 3986: all but letters, digits and -._~ */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}

interface CanonicalRequest extends SignableRequest {
  readonly path: string;
  readonly query: Query;
}

function signatureOf(
  request: CanonicalRequest,
  { scope, time, signedHeaders }: SignatureParts,
  secret: string,
): string {
  const { day, region, service } = scope;
  const canonical = [
    request.method,
    // What is encoded once to be sent is encoded once more to be signed, by every service but S3.
    request.path.split('/').map(encoded).join('/') || '/',
    request.query
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .sort()
      .join('&'),
    ...signedHeaders.map((name) => `${name}:${(headerValue(request, name) ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders.join(';'),
    createHash('sha256').update(request.body).digest('hex'),
  ].join('\n');
  const text = [
    algorithm,
    time,
    `${day}/${region}/${service}/aws4_request`,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  let key: string | Buffer = `AWS4${secret}`;
  for (const part of [day, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  return createHmac('sha256', key).update(text).digest('hex');
}

function headerValue({ headers }: SignableRequest, name: string): string | undefined {
  // HTTP/2 has no Host; clients sign the name by which HTTP/1.1 calls it.
  const value = headers[name] ?? (name === 'host' ? headers[':authority'] : undefined);
  return value === undefined || typeof value === 'string' ? value : value.join(',');
}

function keyOfSecret<Key extends AccessKey>(secret: string, keys: readonly Key[]): Key {
  // All are looked at, so that the time says nothing about which one it is like.
  const found = keys.filter(({ secretAccessKey }) => isEqual(secretAccessKey, secret))[0];
  return found ?? refuse('AccessDeniedException', 'Authentication failed: Please make sure your API Key is valid.');
}

/** In a time that does not depend on where the two differ. */
function isEqual(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function refuse(name: WireErrorName, message: string): never {
  throw new WireException({ name, message });
}
