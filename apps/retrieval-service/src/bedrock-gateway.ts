import { type AccessKey, errorResponse, signRequest, type WireResponse } from '@aquifer/bedrock-wire';

/** What is used of an AWS client: its credentials, and its way of sending. */
export interface UpstreamClient {
  readonly config: {
    credentials(): Promise<AccessKey>;
    readonly requestHandler: {
      // biome-ignore lint/suspicious/noExplicitAny: the SDK's own request and response types differ between its versions
      handle(request: any, options?: { readonly abortSignal?: AbortSignal }): Promise<any>;
    };
  };
}

export interface BedrockGatewayOptions {
  /** The real Bedrock's: its credentials are the only ones that AWS sees. */
  readonly client: UpstreamClient;
  readonly region: string;
  /** Such as `https://bedrock-runtime.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
}

export interface GatewayRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

export interface BedrockGateway {
  /** Never rejects. Status, body and stream are Bedrock's own, untouched. */
  forward(request: GatewayRequest): Promise<WireResponse>;
}

/** Passes requests on to the real Bedrock, signed anew. */
export function createBedrockGateway({ client, region, endpoint }: BedrockGatewayOptions): BedrockGateway {
  const url = new URL(endpoint);
  return {
    async forward({ method, target, headers, body, requestId, signal }) {
      try {
        const credentials = await client.config.credentials();
        const path = `${url.pathname.replace(/\/$/, '')}${target}`;
        const sent = { ...forwarded(headers), host: url.host };
        const signed = signRequest({ method, target: path, headers: sent, body }, credentials, {
          region,
          service: 'bedrock',
          now: Date.now(),
        });
        const { response } = await client.config.requestHandler.handle(
          {
            method,
            protocol: url.protocol,
            hostname: url.hostname,
            ...(url.port !== '' && { port: Number(url.port) }),
            path,
            query: {},
            headers: { ...signed, 'content-length': String(body.length) },
            body,
          },
          { abortSignal: signal },
        );
        return { status: response.statusCode, headers: returned(response.headers), body: unbroken(response.body) };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return errorResponse(
          { name: 'ServiceUnavailableException', message: `The gateway cannot reach Amazon Bedrock: ${reason}` },
          requestId,
        );
      }
    },
  };
}

/** Node ends an HTTP/2 stream that was reset as if it were whole; a caller must not be told so. */
async function* unbroken(body: AsyncIterable<Uint8Array> & { readonly rstCode?: number }): AsyncIterable<Uint8Array> {
  yield* body;
  if (body.rstCode) throw new Error(`Bedrock broke the stream off with code ${body.rstCode}.`);
}

/** What of a request is about the model. A caller's signature and its host are its affair with this server. */
function forwarded(headers: GatewayRequest['headers']): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    if (name === 'content-type' || name === 'accept' || name.startsWith('x-amzn-bedrock-')) kept[name] = String(value);
  }
  return kept;
}

function returned(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('x-amz') || name === 'content-type' || name === 'content-length' || name === 'retry-after') {
      kept[name] = value;
    }
  }
  return kept;
}
