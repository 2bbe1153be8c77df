import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { AquiferError, type Embedder, type Generator } from '@aquifer/contracts';

const builtinDimensions = [1536, 1024, 512, 256] as const;

/**
 * The embedder of this name: `builtin`, `builtin:1536`, `builtin:512`, `builtin:256`, `onnx:<folder or hub id>`.
 *
 * @throws `model-not-found` for any other name.
 */
export async function embedderByName(name: string): Promise<Embedder> {
  const dimensions = name === 'builtin' ? 1024 : builtinDimensions.find((size) => name === `builtin:${size}`);
  if (dimensions !== undefined) {
    return (await import('@aquifer/models/builtin-embedder')).createBuiltinEmbedder({ dimensions });
  }
  if (name.startsWith('onnx:')) {
    return (await import('@aquifer/models/onnx-embedder')).createOnnxEmbedder({ model: name.slice('onnx:'.length) });
  }
  throw new AquiferError(
    'model-not-found',
    `There is no embedder "${name}". Choose builtin, ${builtinDimensions.map((size) => `builtin:${size}`).join(', ')} or onnx:<folder or hub id>.`,
  );
}

/**
 * An embedder's name with any folder made absolute, so that it means the same from everywhere.
 */
export function absoluteEmbedderName(name: string): string {
  if (!name.startsWith('onnx:')) return name;
  const model = name.slice('onnx:'.length);
  return existsSync(model) ? `onnx:${resolve(model)}` : name;
}

/**
 * The generator of this name: `builtin`.
 *
 * @throws `model-not-found` for any other name.
 */
export async function generatorByName(name: string): Promise<Generator> {
  if (name === 'builtin') return (await import('@aquifer/models/builtin-answerer')).createBuiltinAnswerer();
  throw new AquiferError('model-not-found', `There is no model "${name}". Choose builtin.`);
}
