import {
  AquiferError,
  type Embedder,
  fingerprintText,
  type Manifest,
  parseBedrockModelId,
  type Store,
} from '@aquifer/contracts';
import type { KnowledgeBaseOptions } from './knowledge-base.js';
import { createKnowledgeBaseId } from './knowledge-base-id.js';
import { embedderNameOf } from './models-by-name.js';

/** The version of what is recorded here; a store has its own schema version beside it. */
const manifestVersion = 1;

/** What the index was built with beyond the manifest: how to open the same embedder and to cut the same chunks again. */
export interface BuiltWith {
  /** Such as `onnx:/models/all-MiniLM-L6-v2`; of an embedder that a program passed in, its provider and model. */
  readonly embedderName: string;
  /** Where they were chosen. */
  readonly embedderDimensions?: number | undefined;
  readonly chunkTokens: number;
  readonly chunkOverlap: number;
  /** Absent: OCR is off. */
  readonly ocrLanguages?: readonly string[] | undefined;
}

const defaultChunkTokens = 512;
const defaultOcrLanguages = ['eng', 'jpn'];

/** What is asked for, else what the index was built with, else the defaults. */
export function planBuild(
  asked: Pick<
    KnowledgeBaseOptions,
    'embedder' | 'dimensions' | 'chunkTokens' | 'chunkOverlap' | 'ocr' | 'ocrLanguages'
  >,
  recorded: BuiltWith | undefined,
): BuiltWith {
  const ocrLanguages = asked.ocrLanguages ?? recorded?.ocrLanguages;
  const ocr = asked.ocr ?? ocrLanguages !== undefined;
  const embedderName = embedderNameOf(asked.embedder ?? recorded?.embedderName ?? 'builtin');
  const isRecorded = recorded !== undefined && modelOf(embedderName) === modelOf(recorded.embedderName);
  const recordedDimensions = isRecorded ? recorded.embedderDimensions : undefined;
  const embedderDimensions = asked.dimensions ?? recordedDimensions;
  return {
    embedderName,
    ...(embedderDimensions !== undefined && { embedderDimensions }),
    chunkTokens: asked.chunkTokens ?? recorded?.chunkTokens ?? defaultChunkTokens,
    chunkOverlap: asked.chunkOverlap ?? recorded?.chunkOverlap ?? 0,
    ...(ocr && { ocrLanguages: ocrLanguages ?? defaultOcrLanguages }),
  };
}

/** Inference profiles and ARNs are other ways to the same model. */
function modelOf(embedderName: string): string {
  return parseBedrockModelId(embedderName)?.baseId ?? embedderName;
}

/** Of the value that records it in a store. */
export const builtWithKey = 'built-with';

export async function readBuiltWith(store: Store): Promise<BuiltWith | undefined> {
  return (await store.readValue(builtWithKey)) as BuiltWith | undefined;
}

export async function writeBuiltWith(store: Store, builtWith: BuiltWith): Promise<void> {
  await store.writeValue(builtWithKey, builtWith);
}

export interface ManifestParts {
  readonly embedder: Embedder;
  readonly analyser: string;
  readonly name: string;
  /** Default: none yet. */
  readonly chunker?: string;
  /** Default: a new one. */
  readonly id?: string;
}

/** The manifest of an index that is to be made. */
export function planManifest(parts: ManifestParts): Manifest {
  return {
    schemaVersion: manifestVersion,
    knowledgeBase: { id: parts.id ?? createKnowledgeBaseId(), name: parts.name },
    embedder: parts.embedder.fingerprint,
    chunker: parts.chunker ?? '',
    analyser: parts.analyser,
    metric: 'cosine',
    createdAt: Date.now(),
  };
}

/** Writes the manifest of a new index, unless somebody else has made it at the same moment: then his is the one that is there. */
export async function createManifest(store: Store, parts: ManifestParts): Promise<Manifest> {
  const manifest = planManifest(parts);
  await store.writeManifest(manifest, { unlessThere: true });
  return manifest;
}

/** @throws `index-not-found` for an index that an import has not completed */
export function assertImported(manifest: Manifest, location: string): void {
  if (manifest.importing === undefined) return;
  throw new AquiferError(
    'index-not-found',
    `An import into ${location} was not completed: run it again, npx aquifer import <file> --kb ${location}`,
  );
}

/** @throws `index-too-new` */
export function assertKnownManifest(manifest: Manifest, location: string): void {
  if (manifest.schemaVersion <= manifestVersion) return;
  throw new AquiferError(
    'index-too-new',
    `The index at ${location} was made by a newer version of Aquifer: update this one, or index again into another --kb.`,
  );
}

/** @throws `index-not-found`, `index-too-new`, `index-outdated` with the command that mends it */
export function assertReadableManifest(manifest: Manifest, analyser: string, location: string): void {
  assertImported(manifest, location);
  assertKnownManifest(manifest, location);
  if (manifest.analyser !== analyser) {
    throw new AquiferError(
      'index-outdated',
      `The keyword index at ${location} was built with analyser ${manifest.analyser}; this version has ${analyser}. ` +
        `Bring it up to date with: npx aquifer index <path> --kb ${location} --re-embed (vectors are reused).`,
    );
  }
}

/** @throws `embedder-mismatch` with the command that re-embeds */
export function assertSameEmbedder(manifest: Manifest, embedder: Embedder, name: string, location: string): void {
  const built = fingerprintText(manifest.embedder);
  const offered = fingerprintText(embedder.fingerprint);
  if (built === offered) return;
  throw new AquiferError(
    'embedder-mismatch',
    `The index at ${location} was built with ${built}, but the embedder is ${offered}: their vectors cannot be compared. ` +
      'Leave out the embedder to use the one of the index, or embed everything again with: ' +
      `npx aquifer index <path> --kb ${location} --embedder ${name} --re-embed`,
  );
}
