import { openDatabase } from '../database/database.js';
import { guarded } from '../database/guarded.js';
import type { SqlDatabase } from '../database/sqlite-driver.js';
import { mostQuestions } from '../vectors/code-blocks.js';
import {
  createVectorIndex,
  type DenseSearch,
  type VectorIndex,
  type VectorIndexOptions,
} from '../vectors/vector-index.js';
import { gatherCalls } from './gathered-calls.js';
import { type PackedMatches, packMatches } from './packed-matches.js';
import type { CallContext, MethodsByName } from './worker-calls.js';

export interface VectorWorkerOptions extends VectorIndexOptions {
  readonly file: string;
  readonly encryptionKey?: string;
}

/** The engine of the vector thread: a connection of its own for reading, and the vectors. */
function createVectorEngine(database: SqlDatabase, index: VectorIndex) {
  let closed = false;
  const searchTogether = gatherCalls(mostQuestions, (searches: readonly DenseSearch[]) => index.search(searches));
  return {
    async warm(): Promise<void> {
      await index.warm(() => closed);
    },
    search: async (search: DenseSearch): Promise<PackedMatches> => packMatches(await searchTogether(search)),
    score: (argument: { readonly vector: Float32Array; readonly chunkIds: readonly string[] }) =>
      index.score(argument.vector, argument.chunkIds),
    optimise: (_: undefined, context: CallContext) => index.optimise(context),
    stats: () => index.stats(),
    close(): void {
      closed = true;
      database.close();
    },
  };
}

type VectorEngine = ReturnType<typeof createVectorEngine>;

export type VectorWorkerMethods = { readonly open: (options: VectorWorkerOptions) => void } & VectorEngine;

/** The methods of a vector index by name: `open` first. */
export function createVectorMethods(): MethodsByName {
  let engine: VectorEngine | undefined;
  let file = '';
  const open = (options: VectorWorkerOptions): void => {
    file = options.file;
    const database = openDatabase({ ...options, mode: 'read' });
    engine = guarded(file, () => createVectorEngine(database, createVectorIndex(database, options)));
  };
  return (name) => {
    if (name === 'open') return open;
    const method = engine?.[name as keyof VectorEngine] as
      | ((argument: never, context: CallContext) => unknown)
      | undefined;
    return method && ((argument: never, context) => guarded(file, () => method(argument, context)));
  };
}
