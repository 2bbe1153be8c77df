export { type ChunkerOptions, createChunker, minChunkTokens } from './chunking/chunker.js';
export { createTiktokenCounter, type TiktokenEncoding, tiktokenEncodings } from './chunking/tiktoken-counter.js';
export { describeUnread, whyUnread } from './reading/choose-format.js';
export { createDocumentReader, type DocumentReaderOptions } from './reading/document-reader.js';
export { findTesseract, type InstalledTesseract } from './reading/ocr/installed-tesseract.js';
export { readerFingerprint, recognitionFingerprint } from './reading/reader-fingerprint.js';
export { parseSidecar } from './reading/sidecar.js';
