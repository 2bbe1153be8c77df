import type { ErrorDescription } from '@aquifer/contracts';

/** Failures of a connection by Node's code, with what there is to say beyond the code. Sorted by what a reader can do. */
const notThere: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no host has this name. Check the address and the region',
  EAI_AGAIN: 'the name could not be looked up. Check the network',
  ECONNREFUSED: 'nothing listens there. Is the server running?',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  ETIMEDOUT: 'no answer in time. Check network, VPC endpoint and security groups',
  EHOSTUNREACH: 'no way there. Check the network',
  ENETUNREACH: 'no way there. Check the network',
  ERR_HTTP2_STREAM_CANCEL: 'the connection broke',
  ERR_HTTP2_SESSION_ERROR: 'the connection broke',
  ERR_HTTP2_GOAWAY_SESSION: 'the server closed the connection',
  ERR_HTTP2_INVALID_SESSION: 'the connection was closed',
  ERR_HTTP2_STREAM_ERROR: 'the connection broke',
  ERR_STREAM_PREMATURE_CLOSE: 'the connection broke',
  ERR_HTTP2_ERROR: 'what answers does not speak HTTP/2. A client with another requestHandler can be passed in',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'no answer in time',
};
const certificate =
  /^(?:CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_(?:GET|VERIFY)|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA|ERROR_IN_CERT)/;
const malformedAddress = /^(?:ERR_INVALID_URL|ERR_HTTP2_UNSUPPORTED_PROTOCOL|ERR_INVALID_PROTOCOL)$/;
const brokenOff =
  /http2 request did not get a response|abnormally aborted|Stream timed out|socket hang up|premature close|Truncated event message|(?:prelude|message) checksum|message length does not match/i;

/**
 * What an error of Node's sockets, TLS or HTTP/2 means, naming the address; undefined where the error is not of that kind.
 *
 * @param context The model that was asked, and where.
 */
export function describeNetworkError(
  error: unknown,
  { modelId, endpoint }: { readonly modelId: string; readonly endpoint?: string },
): ErrorDescription | undefined {
  const address = endpoint ?? 'its address';
  const codes = codesOf(error);
  const message = error instanceof Error ? error.message : '';
  if (codes.some((code) => malformedAddress.test(code))) {
    return {
      code: 'invalid-options',
      message: `${address} is not an address that ${modelId} can be asked at: ${message} It must begin with https:// or http://.`,
    };
  }
  const untrusted = codes.find((code) => certificate.test(code));
  if (untrusted !== undefined) {
    return {
      code: 'model-unavailable',
      message: `The certificate of ${address} is not trusted (${untrusted}), so ${modelId} was not asked. Where it is your own, name its authority in NODE_EXTRA_CA_CERTS.`,
    };
  }
  const tls = codes.find((code) => /^(?:ERR_SSL_|EPROTO$)/.test(code));
  if (tls !== undefined) {
    return {
      code: 'model-unavailable',
      message: `${address} does not answer in TLS (${tls}), so ${modelId} was not asked. A server without TLS has an address with http://.`,
    };
  }
  // The innermost code is the reason, those around it are what it led to.
  const reason = codes.findLast((code) => notThere[code] !== undefined);
  const isTimeout = error instanceof Error && error.name === 'TimeoutError';
  if (reason === undefined && !isTimeout && !brokenOff.test(message)) return undefined;
  const said = reason === undefined ? message : `${notThere[reason]} (${reason})`;
  return { code: 'model-unavailable', retryable: true, message: `${modelId} cannot be reached at ${address}: ${said}` };
}

/** Codes of an error and of what caused it, outermost first. */
function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  for (let depth = 0, current = error; depth < 5 && current instanceof Object; depth++) {
    const { code, cause, errors } = current as { code?: unknown; cause?: unknown; errors?: unknown };
    if (typeof code === 'string') codes.push(code);
    // Of several addresses tried (AggregateError), the first failure stands for all.
    current = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  return codes;
}
