export interface TestOptions {
  /** The written reason why a test is left out. */
  readonly skip?: string;
  readonly timeout?: number;
}

/**
 * The part of a test runner that the published suites use. `{ describe, it }` of `node:test` fits as it is, and so does
 * any runner of the same shape.
 *
 * ```ts
 * import { describe, it } from 'node:test';
 * import { embedderContract } from '@aquifer/contracts/testing';
 *
 * embedderContract({ describe, it }, { name: 'mine', create: () => createMyEmbedder() });
 * ```
 */
export interface TestRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => void | Promise<void>): unknown;
  it(name: string, options: TestOptions, body: () => void | Promise<void>): unknown;
}
