import { type MessagePort, parentPort } from 'node:worker_threads';
import { createVectorMethods } from './vector-worker.js';
import { serveCalls } from './worker-calls.js';

serveCalls(parentPort as MessagePort, createVectorMethods());
