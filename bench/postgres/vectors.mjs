// Vectors of the built-in embedder, which is deterministic: they are kept in a temporary folder, to be used again.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBuiltinEmbedder } from '@aquifer/models';

export const dimensions = 1_024;

export async function embedAll(texts, purpose) {
  const embedder = createBuiltinEmbedder({ dimensions });
  const cache = join(tmpdir(), `aquifer-bench-${purpose}-${texts.length}-${dimensions}`);
  if (!existsSync(cache)) {
    const bytes = new Float32Array(texts.length * dimensions);
    for (let from = 0; from < texts.length; from += 256) {
      const { vectors } = await embedder.embed(texts.slice(from, from + 256), { purpose });
      for (const [index, vector] of vectors.entries()) bytes.set(vector, (from + index) * dimensions);
    }
    writeFileSync(cache, bytes);
  }
  const { buffer, byteOffset } = readFileSync(cache);
  const all = new Float32Array(buffer.slice(byteOffset, byteOffset + 4 * texts.length * dimensions));
  return texts.map((_, index) => all.subarray(index * dimensions, (index + 1) * dimensions));
}
