export type { TestOptions, TestRunner } from './test-runner.js';
