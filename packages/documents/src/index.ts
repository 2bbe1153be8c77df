export { type ChunkerOptions, createChunker, minChunkTokens } from './chunking/chunker.js';
export { createTiktokenCounter, type TiktokenEncoding, tiktokenEncodings } from './chunking/tiktoken-counter.js';
export { whyUnread } from './reading/choose-format.js';
export { createDocumentReader, type DocumentReaderOptions } from './reading/document-reader.js';
export { findTesseract, type InstalledTesseract } from './reading/ocr/installed-tesseract.js';
export { describeOtherFormat } from './reading/other-formats.js';
export { readerFingerprint, recognitionFingerprint } from './reading/reader-fingerprint.js';
export { parseSidecar } from './reading/sidecar.js';
