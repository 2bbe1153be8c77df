export { type BedrockConnection, bedrockClient, closeBedrockClients } from './bedrock/bedrock-client.js';
export { createBuiltinAnswerer } from './builtin-answerer.js';
export { type BuiltinEmbedderOptions, createBuiltinEmbedder } from './builtin-embedder.js';
export { createOllamaGenerator, type OllamaGeneratorOptions } from './ollama/ollama-generator.js';
export type { ModelTraits, Pooling } from './onnx/known-models.js';
export { createOnnxEmbedder } from './onnx/onnx-embedder.js';
export type { OnnxDtype, OnnxEmbedderOptions } from './onnx/onnx-options.js';
export { createOpenAiGenerator, type OpenAiGeneratorOptions } from './openai/openai-generator.js';
export { createOnnxReranker, type OnnxRerankerOptions } from './reranking/onnx-reranker.js';
