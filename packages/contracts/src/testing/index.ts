export { type EmbedderContractOptions, embedderContract, type RelatedTexts } from './embedder.contract.js';
export { generateFilter, generateMetadata } from './generated-filters.js';
export { type GeneratorContractOptions, generatorContract, samplePrompt } from './generator.contract.js';
export {
  assertReadOrRefused,
  assertWellFormed,
  type ReaderContractOptions,
  type ReaderSample,
  readerContract,
  readerErrorCodes,
} from './reader.contract.js';
export { type RerankerContractOptions, rerankerContract } from './reranker.contract.js';
export { createSeededRandom, type SeededRandom } from './seeded-random.js';
export { sharedFile } from './shared-file.js';
export { storeContract } from './store.contract.js';
export {
  type ChunkSketch,
  createClusteredVectors,
  referenceKeywordSearch,
  sketchDocument,
  suiteAnalyser,
  suiteManifest,
} from './store-fixtures.js';
export type { StoreContractOptions, StoreUnderTest } from './store-test-context.js';
export type { TestOptions, TestRunner } from './test-runner.js';
