export { type BedrockConnection, bedrockClient, closeBedrockClients } from './bedrock/bedrock-client.js';
export { type BedrockEmbedderOptions, createBedrockEmbedder } from './bedrock/embedding/bedrock-embedder.js';
export type { BedrockEmbeddingType } from './bedrock/embedding/embedding-family.js';
export {
  type BedrockImageGeneratorOptions,
  createBedrockImageGenerator,
} from './bedrock/images/bedrock-image-generator.js';
export {
  type BedrockModelKind,
  describeModel,
  type ModelDescription,
  modelCatalogue,
} from './bedrock/model-catalogue.js';
export { type BedrockGeneratorOptions, createBedrockGenerator } from './bedrock/text/bedrock-generator.js';
export { createBuiltinAnswerer } from './builtin-answerer.js';
export { type BuiltinEmbedderOptions, createBuiltinEmbedder } from './builtin-embedder.js';
export { createOllamaEmbedder, type OllamaEmbedderOptions } from './ollama/ollama-embedder.js';
export { createOllamaGenerator, type OllamaGeneratorOptions } from './ollama/ollama-generator.js';
export type { ModelTraits, Pooling } from './onnx/known-models.js';
export { createOnnxEmbedder } from './onnx/onnx-embedder.js';
export type { OnnxDtype, OnnxEmbedderOptions } from './onnx/onnx-options.js';
export { createOpenAiEmbedder, type OpenAiEmbedderOptions } from './openai/openai-embedder.js';
export { createOpenAiGenerator, type OpenAiGeneratorOptions } from './openai/openai-generator.js';
export { createPacedEmbedder, type EmbeddedBatch, type EmbeddingAdapter } from './pacing/paced-embedder.js';
export { createPacer, type PacedRequest, type Pacer, type PacerOptions } from './pacing/pacer.js';
export { sharedPacer } from './pacing/shared-pacers.js';
export type { BedrockAgentConnection } from './reranking/bedrock-agent-client.js';
export { type BedrockRerankerOptions, createBedrockReranker } from './reranking/bedrock-reranker.js';
export { createOnnxReranker, type OnnxRerankerOptions } from './reranking/onnx-reranker.js';
export type { SageMakerConnection, SageMakerEndpoint } from './sagemaker/sagemaker-client.js';
export { createSageMakerEmbedder, type SageMakerEmbedderOptions } from './sagemaker/sagemaker-embedder.js';
export { createSageMakerGenerator, type SageMakerGeneratorOptions } from './sagemaker/sagemaker-generator.js';
