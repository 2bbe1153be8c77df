import assert from 'node:assert/strict';
import type { Analyser } from '../analyser.js';
import { type ErrorCode, isAquiferError } from '../errors.js';
import type { Store } from '../store.js';

/** One knowledge base under test. */
export interface StoreUnderTest {
  /** Open for writing, and empty at first. */
  readonly store: Store;
  /** Closes `store` and opens the same knowledge base again; what it returns replaces `store`. */
  reopen(): Promise<Store>;
  /** Closes whatever is open and removes everything. */
  destroy(): Promise<void>;
}

export interface StoreContractOptions {
  /** Names the store in the report. */
  readonly name: string;
  /** Makes an empty knowledge base without a manifest, whose keyword index uses this analyser. */
  create(options: { readonly analyser: Analyser }): Promise<StoreUnderTest>;
  /** Default 2,500. */
  readonly generatedFilters?: number;
  /** Vectors of the recall tests: default 3,000. */
  readonly recallVectors?: number;
  /** Default 64. */
  readonly recallDimensions?: number;
}

/** What a test works with. */
export interface StoreTestContext {
  readonly options: StoreContractOptions;
  /** Runs a test on an empty knowledge base with a manifest, and removes it afterwards. */
  withStore(
    work: (store: Store, reopen: () => Promise<Store>) => Promise<void>,
    dimensions?: number,
  ): () => Promise<void>;
}

export async function assertRejects(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(
      isAquiferError(error, code),
      `expected ${code}, got ${String((error as { code?: unknown }).code)}: ${error}`,
    );
    assert.ok(error.message.length > 10);
    return true;
  });
}

/** Ids of all chunks that a keyword search finds, best first. */
export const keywordIds = async (store: Store, text: string): Promise<string[]> =>
  (await store.searchKeyword({ text, limit: 10_000 })).matches.map((match) => match.chunkId);
/** Ids of all chunks that a dense search finds, best first. */
export const denseIds = async (store: Store, vector: readonly number[]): Promise<string[]> =>
  (await store.searchDense({ vector: Float32Array.from(vector), limit: 10_000 })).matches.map((match) => match.chunkId);
