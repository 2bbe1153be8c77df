import { storeConsistencyContract } from './store-consistency.contract.js';
import { storeDocumentContract } from './store-documents.contract.js';
import { suiteAnalyser, suiteManifest } from './store-fixtures.js';
import { storeRefusalContract } from './store-refusals.contract.js';
import { storeSearchContract } from './store-search.contract.js';
import type { StoreContractOptions, StoreTestContext } from './store-test-context.js';
import type { TestRunner } from './test-runner.js';

/**
 * Everything that a {@link Store} promises. Assumes nothing of where the data lives: neither one process nor one file.
 *
 * @example
 * storeContract({ describe, it }, { name: 'mine', create: async ({ analyser }) => … });
 */
export function storeContract(runner: TestRunner, options: StoreContractOptions): void {
  const context: StoreTestContext = {
    options,
    withStore:
      (work, dimensions = 4) =>
      async () => {
        const under = await options.create({ analyser: suiteAnalyser });
        try {
          await under.store.writeManifest(suiteManifest(dimensions));
          await work(under.store, () => under.reopen());
        } finally {
          await under.destroy();
        }
      },
  };
  runner.describe(`Store contract: ${options.name}`, () => {
    storeDocumentContract(runner, context);
    storeRefusalContract(runner, context);
    storeConsistencyContract(runner, context);
    storeSearchContract(runner, context);
  });
}
