export { readerFingerprint } from './reading/reader-fingerprint.js';
export { parseSidecar } from './reading/sidecar.js';
