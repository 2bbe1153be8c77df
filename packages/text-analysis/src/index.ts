export { splitSentences, type TextSpan } from './sentences.js';
