export { createAnalyser } from './analyser.js';
export { codePointCut, graphemeCut, graphemeSpans } from './graphemes.js';
export { splitSentences, type TextSpan } from './sentences.js';
export { estimateTokens } from './token-estimate.js';
