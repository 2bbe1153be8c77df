import { createModelServer, type ModelServer } from '../http/model-server.js';
import { parseServerAddress } from '../http/server-address.js';
import type { FailureAdvice, ServerFailure } from '../http/server-failure.js';
import { saysTooLong } from '../http/too-long.js';
import type { Pacer } from '../pacing/pacer.js';
import { sharedPacer } from '../pacing/shared-pacers.js';

export interface OpenAiConnection {
  /**
   * Of OpenAI or of any server that speaks its API (vLLM, llama.cpp, LM Studio, LiteLLM, …), with or without `/v1`.
   * Default `https://api.openai.com/v1`.
   */
  readonly baseUrl?: string;
  /** Sent as `Authorization: Bearer`. Servers of one's own often want none. */
  readonly apiKey?: string;
  /** Besides; for gateways. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest silence of the server, in milliseconds. Default 120,000. Node's own limit is 300,000. */
  readonly timeoutMs?: number;
}

export const openAiUrl = 'https://api.openai.com/v1';

export function connectOpenAi(connection: OpenAiConnection, model: string): ModelServer {
  const { apiKey, headers, timeoutMs = 120_000 } = connection;
  const baseUrl = parseServerAddress(connection.baseUrl ?? openAiUrl, '/v1');
  return createModelServer({
    name: baseUrl === openAiUrl ? 'OpenAI' : 'The model server',
    baseUrl,
    timeoutMs,
    headers: { ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...headers },
    ...(apiKey && { secret: apiKey }),
    startAdvice: 'Check the address, and that the server runs.',
    explain: (failure) => explainFailure(failure, model, apiKey !== undefined),
  });
}

/** OpenAI counts each model on its own. */
export function openAiPacer({ label, baseUrl }: ModelServer, model: string): Pacer {
  return sharedPacer(`openai|${baseUrl}|${model}`, { name: `${model} of ${label}` });
}

/** Source: https://platform.openai.com/docs/guides/error-codes */
function explainFailure(
  { status, reason, message }: ServerFailure,
  model: string,
  hasKey: boolean,
): FailureAdvice | undefined {
  if (status === 401 && !hasKey) return { code: 'credentials-refused', advice: 'It wants an API key.' };
  if (status === 404)
    return { code: 'model-not-found', advice: `Check the address, and that it has a model "${model}".` };
  if (status !== 429 && saysTooLong(message)) return { code: 'too-large', retryable: false };
  // Money that has run out does not come back by waiting.
  if (reason === 'insufficient_quota') {
    return { code: 'model-throttled', retryable: false, advice: 'Add credit to the account of the key.' };
  }
  return undefined;
}
