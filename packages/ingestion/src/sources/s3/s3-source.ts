import {
  AquiferError,
  isAquiferError,
  type Metadata,
  type Source,
  type SourceContent,
  type SourceItem,
} from '@aquifer/contracts';
import type { S3Client } from '@aws-sdk/client-s3';
import { storableText } from '../../storable-text.js';
import { ignoreFileName, maxIgnoreFileBytes } from '../ignore-rules.js';
import { maxSidecarBytes, sidecarEnding } from '../listed-names.js';
import { compileGlobs } from '../path-globs.js';
import { openS3Bucket, type S3Bucket, type S3Object } from './s3-bucket.js';
import { parseS3Location } from './s3-location.js';
import { pathOf, type SelectedObject, selectObjects } from './s3-selection.js';

export interface S3SourceOptions {
  /** `s3://bucket`, or `s3://bucket/prefix` for the objects whose keys begin with `prefix/`. */
  readonly root: string;
  /** Of {@link connectS3}, or one's own. */
  readonly client: S3Client;
  /** Objects, and prefixes of objects, that a run covers: keys without the root's prefix. Default: all of it. */
  readonly paths?: readonly string[];
  /** Whether a file of this name can be read. Others are counted and left alone. */
  readonly recognises: (name: string) => boolean;
  /** What a file of another name is and what to do with it, where that is known: the reason that is given for one that was asked for. */
  readonly describeOther?: ((name: string) => string | undefined) | undefined;
  /** Reads `<key>.metadata.json`. @throws `invalid-document` */
  readonly parseSidecar: (bytes: Uint8Array, name: string) => Metadata;
  /** Globs of the objects to take: see `compileGlobs`. Default: all. */
  readonly include?: readonly string[];
  /** Globs of the objects and folders to leave out. */
  readonly exclude?: readonly string[];
  /** Prefixes below `root` that are no part of it, without the root's. */
  readonly without?: readonly string[];
  /** Objects that have grown beyond this since they were listed are not read. Default: no limit. */
  readonly maxBytes?: number;
}

/**
 * The documents in a bucket, or below a prefix of it, by the same rules as those in a folder: hidden names, `.aquiferignore` objects, `include` and
 * `exclude`; `<key>.metadata.json` belongs to its object and is no document. The source can be made anywhere from its URI.
 *
 * An object is changed when its ETag or size is another. In a bucket with versions the newest counts, and a delete marker is no object.
 *
 * @throws `invalid-options` for a root that names no bucket
 * @example
 * const client = await connectS3({ region: 'eu-central-1' });
 * createS3Source({ client, root: 's3://handbook/people', recognises: (name) => name.endsWith('.md'), parseSidecar: () => ({}) });
 */
export function createS3Source(options: S3SourceOptions): Source {
  const { client, recognises, parseSidecar, maxBytes = Number.POSITIVE_INFINITY } = options;
  const root = parseS3Location(options.root);
  const bucket = openS3Bucket(client, root.bucket);
  const prefix = root.path === '' ? '' : `${root.path}/`;
  const paths = options.paths ?? [''];
  const ways = { parseSidecar, maxBytes };
  const without = new Set((options.without ?? []).map(pathOf));

  /** All objects in scope by key without prefix, and the ignore files above them. */
  async function listScope(signal: AbortSignal | undefined): Promise<Map<string, S3Object>> {
    const objects = new Map<string, S3Object>();
    const add = async (listPrefix: string, accepts: (key: string) => boolean, limit?: number) => {
      let found = 0;
      for await (const object of bucket.list(prefix + listPrefix, { signal, ...(limit !== undefined && { limit }) })) {
        const key = object.key.slice(prefix.length);
        if (key === '' || !accepts(key)) continue;
        objects.set(key, object);
        found += 1;
      }
      return found;
    };
    for (const path of paths) {
      if (path === '') {
        await add('', () => true);
        continue;
      }
      let found = 0;
      for (const key of spellings(path)) {
        // An exact key is the first of all that begin with it.
        found += await add(key, (each) => each === key, 1);
        found += await add(`${key}/`, () => true);
        await add(key + sidecarEnding, (each) => each === key + sidecarEnding, 1);
        for (let slash = key.lastIndexOf('/'); ; slash = key.lastIndexOf('/', slash - 1)) {
          const file = key.slice(0, slash + 1) + ignoreFileName;
          await add(file, (each) => each === file, 1);
          if (slash <= 0) break;
        }
      }
      if (found === 0)
        throw new AquiferError('source-not-found', `There is no object at or below ${root.uri}/${path}.`);
    }
    return objects;
  }

  const itemOf = ({ path, object, sidecar }: SelectedObject) => ({
    path,
    uri: storableText(`s3://${root.bucket}/${object.key}`),
    bytes: object.bytes,
    stamp: stampOf(object, sidecar),
    hasSidecar: sidecar !== undefined,
    read: (signal?: AbortSignal) => readObject(bucket, { path, key: object.key, sidecar: sidecar?.key }, ways, signal),
  });

  return {
    id: root.uri,
    description: root.uri,
    scope: paths.map(pathOf),
    async *list(signal) {
      const leavesOut = await compileGlobs({ include: options.include ?? [], exclude: options.exclude ?? [] });
      const { documents, omissions } = await selectObjects({
        objects: await listScope(signal),
        recognises,
        describeOther: options.describeOther,
        skips: (path) => without.has(path),
        leavesOut,
        readText: async ({ key }) =>
          Buffer.from((await bucket.read(key, maxIgnoreFileBytes, signal)).content).toString(),
        signal,
      });
      yield* omissions;
      for (const document of documents) yield itemOf(document);
    },
  };
}

/**
 * Reads an object that a listing found, in this process or on another machine: the bucket and its key are in the item's URI.
 *
 * @throws as `describeS3Error`, `too-large`, `invalid-document` (sidecar)
 */
export async function readS3Item(
  item: Pick<SourceItem, 'path' | 'uri'>,
  { client, ...ways }: ReadingWays & { readonly client: S3Client },
  signal?: AbortSignal,
): Promise<SourceContent> {
  const { bucket, path: key } = parseS3Location(item.uri);
  const object = { path: item.path, key, sidecar: key + sidecarEnding };
  return await readObject(openS3Bucket(client, bucket), object, ways, signal);
}

interface ReadingWays {
  readonly parseSidecar: S3SourceOptions['parseSidecar'];
  readonly maxBytes: number;
}

async function readObject(
  bucket: S3Bucket,
  { path, key, sidecar }: { readonly path: string; readonly key: string; readonly sidecar: string | undefined },
  { parseSidecar, maxBytes }: ReadingWays,
  signal: AbortSignal | undefined,
): Promise<SourceContent> {
  const attributes = sidecar === undefined ? undefined : await readSidecar(bucket, sidecar, signal);
  const { content, ...read } = await bucket.read(key, maxBytes, signal);
  return {
    bytes: content,
    metadata: attributes ? parseSidecar(attributes.content, path + sidecarEnding) : {},
    stamp: stampOf(read, attributes),
  };
}

async function readSidecar(bucket: S3Bucket, key: string, signal: AbortSignal | undefined) {
  try {
    return await bucket.read(key, maxSidecarBytes, signal);
  } catch (error) {
    // One that went away since the listing, or was not there, is none.
    if (isAquiferError(error, 'source-changed')) return undefined;
    if (isAquiferError(error, 'too-large')) throw new AquiferError('invalid-document', error.message, { cause: error });
    throw error;
  }
}

/** A path is NFC, but keys are bytes: they may be spelled as they were given, or in either Unicode form. */
function spellings(path: string): ReadonlySet<string> {
  return new Set([path, path.normalize('NFC'), path.normalize('NFD')]);
}

/** ETag and size, of the sidecar too. */
function stampOf(object: Pick<S3Object, 'etag' | 'bytes'>, sidecar?: Pick<S3Object, 'etag' | 'bytes'>): string {
  return [object, ...(sidecar ? [sidecar] : [])].map(({ etag, bytes }) => `${etag}-${bytes}`).join('+');
}
