import { AquiferError, type Filter, maxSearchLimit, parseFilter } from '@aquifer/contracts';
import type { FusionMethod } from './fuse.js';

export type SearchMode = 'hybrid' | 'dense' | 'keyword';

export interface SearchOptions {
  /** Most matches, 1 to 10,000. Default 10. */
  readonly limit?: number;
  readonly filter?: Filter;
  /** Which legs to ask. Default `hybrid`, both. */
  readonly mode?: SearchMode;
  /** Default `convex`. */
  readonly fusion?: FusionMethod;
  /** Share of the dense leg in the convex combination, 0 to 1. Default: the embedder's `fusionWeight`. */
  readonly denseWeight?: number;
  /** How many of each leg's best are fused, 1 to 10,000; never fewer than `limit`. Default: the embedder's, else 100. */
  readonly candidates?: number;
  /** Adds where every candidate stood to the response. */
  readonly trace?: boolean;
  readonly signal?: AbortSignal;
}

/** Search options with nothing left open. */
export interface CheckedSearch {
  readonly query: string;
  readonly limit: number;
  readonly filter: Filter | undefined;
  readonly mode: SearchMode;
  readonly fusion: FusionMethod;
  readonly denseWeight: number | undefined;
  readonly candidates: number;
}

/** The limit of Bedrock's Retrieve (API_agent-runtime_KnowledgeBaseQuery.html), in UTF-16 units. */
export const maxQueryLength = 20_000;

const defaultLimit = 10;
/** 100 of each leg is what the published measurements of convex fusion use. */
const defaultCandidates = 100;

/**
 * The query and options, checked: nothing a caller can send gets further than this.
 *
 * @throws `invalid-query`, `invalid-options`, `invalid-filter`
 */
export function checkSearch(
  query: unknown,
  options: SearchOptions = {},
  embedderCandidates = defaultCandidates,
): CheckedSearch {
  const limit = checkCount('limit', options.limit ?? defaultLimit);
  return {
    query: checkQuery(query),
    limit,
    filter: options.filter === undefined ? undefined : parseFilter(options.filter),
    mode: checkChoice('mode', options.mode ?? 'hybrid', ['hybrid', 'dense', 'keyword']),
    fusion: checkChoice('fusion', options.fusion ?? 'convex', ['convex', 'rrf']),
    denseWeight: options.denseWeight === undefined ? undefined : checkShare('denseWeight', options.denseWeight),
    candidates: Math.max(limit, checkCount('candidates', options.candidates ?? embedderCandidates)),
  };
}

/** The query as well-formed text. @throws `invalid-query` */
export function checkQuery(query: unknown): string {
  if (typeof query !== 'string') throw new AquiferError('invalid-query', 'The query must be text.');
  if (query.length > maxQueryLength) {
    throw new AquiferError(
      'invalid-query',
      `The query has ${query.length.toLocaleString('en')} characters; at most ${maxQueryLength.toLocaleString('en')} are taken. ` +
        'Ask about a part of it.',
    );
  }
  if (query.trim() === '') throw new AquiferError('invalid-query', 'The query is empty. Ask with at least one word.');
  // With the u flag the class matches lone surrogates only: the halves of a pair are one code point.
  return query.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** @throws `invalid-options` */
export function checkCount(name: string, value: unknown, most = maxSearchLimit): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most) {
    throw new AquiferError(
      'invalid-options',
      `"${name}" must be a whole number from 1 to ${most}, not ${shown(value)}.`,
    );
  }
  return value;
}

function checkShare(name: string, value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) {
    throw new AquiferError('invalid-options', `"${name}" must be a number from 0 to 1, not ${shown(value)}.`);
  }
  return value;
}

function checkChoice<Choice extends string>(name: string, value: Choice, choices: readonly Choice[]): Choice {
  if (!choices.includes(value)) {
    throw new AquiferError('invalid-options', `"${name}" must be one of ${choices.join(', ')}, not ${shown(value)}.`);
  }
  return value;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
