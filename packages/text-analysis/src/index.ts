export { createAnalyser } from './analyser.js';
export { splitSentences, type TextSpan } from './sentences.js';
