/**
 * Stands for all readers together. Raised when one of them makes something else of the same file; every file is then read
 * again on its next run, and only what has really changed is embedded again.
 */
export const readerFingerprint = 'readers-1';
