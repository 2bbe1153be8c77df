import { AquiferError } from '@aquifer/contracts';
import { createModelServer, type ModelServer } from '../http/model-server.js';
import { parseServerAddress } from '../http/server-address.js';
import { saysTooLong } from '../http/too-long.js';
import type { Pacer } from '../pacing/pacer.js';
import { sharedPacer } from '../pacing/shared-pacers.js';

export interface OllamaConnection {
  /** Also as `OLLAMA_HOST` has it: without `http://`, or without a port. Default `http://127.0.0.1:11434`. */
  readonly baseUrl?: string;
  /** How long Ollama keeps the model in memory afterwards, in its own notation: `30m`, or -1 for ever. Default: Ollama's, five minutes. */
  readonly keepAlive?: string | number;
  /** Longest silence of the server, in milliseconds; loading a large model is silent. Default 300,000, which is Node's own limit. */
  readonly timeoutMs?: number;
}

const usualPort = 11434;

/** Whoever writes no scheme means the usual port. */
function completeAddress(address: string): string {
  if (address.includes('://')) return address;
  const [, host, port = `:${usualPort}`, path] = /^(\[[^\]]*\]|[^:/]*)(:\d+)?(.*)$/.exec(address.trim())!;
  return `http://${host || '127.0.0.1'}${port}${path}`;
}

export function connectOllama(connection: OllamaConnection, model: string): ModelServer {
  return createModelServer({
    name: 'Ollama',
    baseUrl: parseServerAddress(completeAddress(connection.baseUrl ?? '')),
    timeoutMs: connection.timeoutMs ?? 300_000,
    startAdvice: 'Start it with "ollama serve", or install it from https://ollama.com/download.',
    explain: ({ status, message }) => {
      if (status === 404) return { code: 'model-not-found', advice: `Run: ollama pull ${model}` };
      // Ollama answers with 400 or 500, by version.
      if (saysTooLong(message)) return { code: 'too-large', retryable: false };
      return undefined;
    },
  });
}

/**
 * Ollama answers few requests at once and lets the others wait, so a longer line brings nothing. It takes its time on a slow machine; one that does
 * not run is not waited for.
 */
export function ollamaPacer({ label, baseUrl }: ModelServer): Pacer {
  return sharedPacer(`ollama|${baseUrl}`, { name: label, concurrency: 4, deadlineMs: 600_000, outageMs: 30_000 });
}

/** What Ollama says about a model. */
export interface OllamaModel {
  /** The name without `:latest`. */
  readonly name: string;
  /** Changes with the weights. */
  readonly digest?: string;
  /** Tokens that it was made for. */
  readonly contextTokens?: number;
  readonly dimensions?: number;
  readonly capabilities: readonly string[];
}

interface ShowResponse {
  readonly model_info?: Readonly<Record<string, unknown>>;
  readonly capabilities?: readonly string[];
}

interface TagsResponse {
  readonly models?: readonly { readonly name?: string; readonly model?: string; readonly digest?: string }[];
}

/**
 * Asks Ollama what it knows about a model. Two small requests, which load nothing.
 *
 * Source: https://github.com/ollama/ollama/blob/main/docs/api.md
 *
 * @throws `model-not-found` with the command that fetches it, `model-unavailable` where Ollama does not run.
 */
export async function describeOllamaModel(server: ModelServer, model: string): Promise<OllamaModel> {
  if (model.trim() === '') throw new AquiferError('invalid-options', 'Name a model: ollama:<model>.');
  const shown = (await server.json({ path: '/api/show', body: { model } })) as ShowResponse | null;
  const tags = (await server.json({ path: '/api/tags' })) as TagsResponse | null;
  const tagged = /:[^/]+$/.test(model) ? model : `${model}:latest`;
  const digest = tags?.models?.find((known) => [known.name, known.model].includes(tagged))?.digest;
  const contextTokens = numberNamed(shown?.model_info, '.context_length');
  const dimensions = numberNamed(shown?.model_info, '.embedding_length');
  return {
    name: model.replace(/:latest$/, ''),
    capabilities: shown?.capabilities ?? [],
    ...(digest !== undefined && { digest }),
    ...(contextTokens !== undefined && { contextTokens }),
    ...(dimensions !== undefined && { dimensions }),
  };
}

/** `bert.context_length`, `qwen3.context_length`: the family comes first. */
function numberNamed(info: Readonly<Record<string, unknown>> | undefined, ending: string): number | undefined {
  const value = Object.entries(info ?? {}).find(([key]) => /^[^.]+\.[^.]+$/.test(key) && key.endsWith(ending))?.[1];
  return typeof value === 'number' && value > 0 ? value : undefined;
}
