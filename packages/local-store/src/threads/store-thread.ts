import { type MessagePort, parentPort } from 'node:worker_threads';
import { createStoreMethods } from './store-worker.js';
import { serveCalls } from './worker-calls.js';

serveCalls(parentPort as MessagePort, createStoreMethods());
