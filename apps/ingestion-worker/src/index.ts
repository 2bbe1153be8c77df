export { type RunWorkerOptions, runWorker } from './run-worker.js';
