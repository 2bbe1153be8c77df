import type { WireResponse } from '@aquifer/bedrock-wire';
import type { RequestObserver } from './request-observer.js';

/** The end of a stream holds its counts; frames of Bedrock's are shorter than this. */
const keptBytes = 64 * 1024;

/** An answer of the real Bedrock, untouched, whose tokens are counted as Bedrock counts them. */
export function meteredResponse(
  response: WireResponse,
  model: string,
  observer: Pick<RequestObserver, 'took'>,
): WireResponse {
  const { status, headers, body } = response;
  if (status !== 200) return response;
  const input = Number(headers['x-amzn-bedrock-input-token-count'] ?? 0);
  const output = Number(headers['x-amzn-bedrock-output-token-count'] ?? 0);
  if (input + output > 0) {
    observer.took({ model, inputTokens: input, outputTokens: output });
    return response;
  }
  const count = (end: Buffer) => {
    const usage = usageIn(end);
    if (usage) observer.took({ model, ...usage });
  };
  if (typeof body === 'string' || body instanceof Uint8Array) {
    count(Buffer.from(body));
    return response;
  }
  return { ...response, body: readEnd(body, count) };
}

async function* readEnd(body: AsyncIterable<Uint8Array>, count: (end: Buffer) => void): AsyncIterable<Uint8Array> {
  let end: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of body) {
      end = Buffer.concat([end, chunk]).subarray(-keptBytes);
      yield chunk;
    }
  } finally {
    count(end);
  }
}

/** The last counts in an answer of Converse, or in the metrics that Bedrock puts behind a stream of InvokeModel, whose chunks are Base64. */
function usageIn(end: Buffer): { readonly inputTokens: number; readonly outputTokens: number } | undefined {
  const text = end.toString('latin1');
  const decoded = [...text.matchAll(/"bytes":"([A-Za-z0-9+/=]+)"/g)].map(([, base64]) => {
    return Buffer.from(base64!, 'base64').toString('utf8');
  });
  const last = (name: RegExp) => {
    const found = [...`${text} ${decoded.join(' ')}`.matchAll(name)].at(-1);
    return found && Number(found[1]);
  };
  const inputTokens = last(/"inputToken(?:s|Count)":\s*(\d+)/g);
  const outputTokens = last(/"outputToken(?:s|Count)":\s*(\d+)/g);
  return inputTokens === undefined && outputTokens === undefined
    ? undefined
    : { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0 };
}
