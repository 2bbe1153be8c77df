import { type AquiferError, describeError, type ErrorDescription, isAquiferError } from '@aquifer/contracts';

/** What a failed request was about. */
export interface S3RequestContext {
  readonly bucket: string;
  /** Of a request for an object; absent for a listing. */
  readonly key?: string;
  readonly region?: string;
  /** Where requests go, where that is not AWS. */
  readonly endpoint?: string;
}

interface Failure {
  readonly name: string;
  readonly words: string;
  readonly status?: number;
  /** Where the bucket is, where the answer says so. */
  readonly region?: string;
}

const refused =
  /^(?:CredentialsProviderError|TokenProviderError|ProviderError|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken\w*|InvalidToken|TokenRefreshRequired|UnrecognizedClient\w*|InvalidSecurity|RequestTimeTooSkewed|RequestExpired|AuthorizationQueryParametersError)$/;
const elsewhere = /^(?:PermanentRedirect|Redirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/;
const outage =
  /^(?:SlowDown|ServiceUnavailable|InternalError|Throttling\w*|RequestTimeout|TooManyRequests\w*|503|500|429)$/;
const broken =
  /^(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|ERR_STREAM_PREMATURE_CLOSE)$/;
const credentialPlaces =
  'AWS looks for them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in the profile of AWS_PROFILE in ~/.aws, in SSO (aws sso login), ' +
  'and in the role of the container or instance.';

/**
 * Makes what the AWS SDK threw for a request to S3 an {@link AquiferError}, in place: class, name and `$metadata` stay.
 *
 * | what | code |
 * |---|---|
 * | no, expired or wrong credentials, clock off | `credentials-refused` |
 * | no such bucket | `source-not-found` |
 * | an object that is gone since it was listed | `source-changed` |
 * | no permission, wrong region, archived object, network, 5xx | `source-unreadable` |
 * | no region, an address that is none | `invalid-options` |
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export function describeS3Error(error: unknown, context: S3RequestContext): AquiferError {
  if (isAquiferError(error)) return error;
  const failure = readFailure(error);
  return describeError(error, byName(failure, context) ?? byCode(error, context) ?? unknown(failure, context));
}

function readFailure(error: unknown): Failure {
  const { name, Code, message, $metadata, $response, Region } = Object(error) as Record<string, unknown>;
  const status = (Object($metadata) as { httpStatusCode?: unknown }).httpStatusCode;
  const headers = (Object($response) as { headers?: Record<string, string> }).headers;
  const region = Region ?? headers?.['x-amz-bucket-region'];
  // An answer without a body, such as that to a HEAD request, leaves the SDK without a name.
  const given = [Code, name].find((each) => typeof each === 'string' && !/^(?:Error|Unknown\w*)$/.test(each));
  return {
    name: typeof given === 'string' ? given : status === undefined ? '' : String(status),
    words: typeof message === 'string' && message !== '' ? message : String(error),
    ...(typeof status === 'number' && { status }),
    ...(typeof region === 'string' && { region }),
  };
}

function byName(failure: Failure, context: S3RequestContext): ErrorDescription | undefined {
  const { name, words, status } = failure;
  const { bucket, key } = context;
  if (name === 'AbortError') return { code: 'aborted', message: 'The operation was cancelled.' };
  if (refused.test(name)) {
    const clock = /TooSkewed|Expired$/.test(name) ? " Check this machine's clock." : '';
    return {
      code: 'credentials-refused',
      message: `s3://${bucket} cannot be read with these credentials (${name}): ${sentence(words)}${clock} ${credentialPlaces}`,
    };
  }
  if (name === 'NoSuchBucket') {
    return { code: 'source-not-found', message: `There is no bucket ${bucket}${at(context)}: check its name.` };
  }
  if (name === 'NoSuchKey' || (status === 404 && key !== undefined)) {
    return { code: 'source-changed', message: `s3://${bucket}/${key} was deleted during the run.` };
  }
  if (elsewhere.test(name)) return wrongRegion(failure, context);
  if (name === 'InvalidObjectState') {
    return unreadable(context, 'it is archived (Glacier or Intelligent-Tiering). Restore it, and run again.');
  }
  if (name === 'AccessDenied' || name === 'AllAccessDisabled' || status === 403) {
    const needed =
      key === undefined
        ? `s3:ListBucket on arn:aws:s3:::${bucket}`
        : `s3:GetObject on arn:aws:s3:::${bucket}/*, and kms:Decrypt where a KMS key encrypts it`;
    return unreadable(context, `access is denied (${sentence(words)}) Allow ${needed}.`);
  }
  if (outage.test(name)) return unreadable(context, `the service asks to try again later (${name}).`, true);
  if (/region is missing/i.test(words)) {
    return {
      code: 'invalid-options',
      message: `No region is known for s3://${bucket}: set AWS_REGION, such as eu-central-1, or the region of a profile in ~/.aws/config.`,
    };
  }
  return undefined;
}

function wrongRegion({ region, words }: Failure, context: S3RequestContext): ErrorDescription {
  // AuthorizationHeaderMalformed says it in words only: the region 'us-east-1' is wrong; expecting 'eu-west-1'.
  const expected = region ?? /expecting '([a-z0-9-]+)'/.exec(words)?.[1];
  const where = expected === undefined ? 'another region' : expected;
  const mend = expected === undefined ? "AWS_REGION to the bucket's region" : `AWS_REGION=${expected}`;
  const asked = context.region === undefined ? '' : `, and was asked for in ${context.region}`;
  return {
    code: 'source-unreadable',
    message: `The bucket ${context.bucket} is in ${where}${asked}: set ${mend}, and run again.`,
  };
}

/** Failures of the connection, by Node's code at any depth. */
function byCode(error: unknown, context: S3RequestContext): ErrorDescription | undefined {
  for (let depth = 0, current = error; depth < 5 && current instanceof Object; depth++) {
    const { code, cause, errors, name, message } = current as Record<string, unknown>;
    const isBroken =
      (typeof code === 'string' && broken.test(code)) ||
      name === 'TimeoutError' ||
      /socket hang up|^aborted$/.test(String(message));
    if (isBroken) {
      const address = context.endpoint ?? 'AWS';
      return unreadable(
        context,
        `${address} does not answer, or the connection broke (${String(code ?? name)}).`,
        true,
      );
    }
    if (code === 'ERR_INVALID_URL') {
      return {
        code: 'invalid-options',
        message: `${context.endpoint ?? 'The endpoint'} is not an address: ${message}`,
      };
    }
    current = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  return undefined;
}

function unknown({ name, words, status }: Failure, context: S3RequestContext): ErrorDescription {
  const said = [name, status !== undefined && String(status) !== name && `status ${status}`].filter(Boolean).join(', ');
  return unreadable(
    context,
    `${sentence(words)}${said === '' ? '' : ` (${said})`}`,
    status !== undefined && status >= 500,
  );
}

function unreadable(context: S3RequestContext, why: string, retryable = false): ErrorDescription {
  const { bucket, key } = context;
  const what =
    key === undefined ? `The bucket ${bucket} cannot be listed${at(context)}` : `s3://${bucket}/${key} cannot be read`;
  return { code: 'source-unreadable', retryable, message: `${what}: ${why}` };
}

const at = ({ endpoint }: S3RequestContext): string => (endpoint === undefined ? '' : ` at ${endpoint}`);

const sentence = (words: string): string => (/[.!?]$/.test(words.trim()) ? words.trim() : `${words.trim()}.`);
