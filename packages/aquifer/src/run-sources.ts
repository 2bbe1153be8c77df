import { realpath, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AquiferError, type Source, type Store } from '@aquifer/contracts';
import { describeUnread, parseSidecar } from '@aquifer/documents';
import {
  connectS3,
  createFolderSource,
  createS3Source,
  isS3Location,
  openS3Bucket,
  parseS3Location,
  type S3Connection,
  s3Location,
} from '@aquifer/ingestion';
import { type FolderRun, planFolderRuns, type RequestedPath } from './folder-roots.js';
import { type FolderRoot, readFolderRoots, selectionFor } from './folder-selection.js';
import type { IndexOptions, SeparateFolder } from './knowledge-base.js';

export interface RunSourcesOptions {
  readonly store: Pick<Store, 'readValue'>;
  /** Of the index, which may lie inside a folder that is indexed. */
  readonly location: string;
  readonly recognises: (name: string) => boolean;
  readonly maxFileBytes?: number | undefined;
  readonly s3?: S3Connection | undefined;
}

/** A source of a run, and what the knowledge base knows of its root. */
export interface PlannedSource {
  readonly source: Source;
  readonly recorded: FolderRoot | undefined;
  readonly root: FolderRoot;
}

/** Makes sources of what a run is asked for. */
export interface RunSources {
  /**
   * The sources for files, folders, and prefixes of buckets.
   *
   * @throws `source-not-found`, `source-unreadable`, `credentials-refused`, `invalid-options`: nothing was changed
   */
  plan(
    asked: readonly string[],
    options: IndexOptions,
  ): Promise<{ readonly planned: readonly PlannedSource[]; readonly untouched: readonly FolderRoot[] }>;
  /** @throws `source-not-found` */
  separate(folder: SeparateFolder, options: IndexOptions): Promise<Source>;
  close(): void;
}

export function createRunSources({ store, location, recognises, maxFileBytes, s3 }: RunSourcesOptions): RunSources {
  let connecting: ReturnType<typeof connectS3> | undefined;
  const connect = () => {
    connecting ??= connectS3(s3);
    return connecting;
  };

  async function requestedObjects(location: string, roots: readonly string[]): Promise<RequestedPath> {
    const { bucket, path, uri } = parseS3Location(location);
    const folder = { path: uri, folder: uri };
    if (path === '' || roots.includes(uri)) return folder;
    const objects = openS3Bucket(await connect(), bucket);
    // Of all keys that begin with this one, it comes first itself.
    for await (const { key } of objects.list(path, { limit: 1 })) {
      if (key === path)
        return {
          path: uri,
          folder: s3Location(bucket, path.slice(0, path.lastIndexOf('/') + 1).replace(/\/$/, '')).uri,
        };
    }
    for await (const _ of objects.list(`${path}/`, { limit: 1 })) return folder;
    throw new AquiferError(
      'source-not-found',
      `There is no object ${uri}, and none below ${uri}/: check the key. Nothing was changed.`,
    );
  }

  return {
    async separate({ folder, paths }, { include, exclude, onFolders }) {
      if (isS3Location(folder)) {
        return createS3Source({
          client: await connect(),
          root: folder,
          recognises,
          describeOther: describeUnread,
          parseSidecar,
          ...(paths && { paths }),
          ...(include && { include }),
          ...(exclude && { exclude }),
          ...(maxFileBytes !== undefined && { maxBytes: maxFileBytes }),
        });
      }
      const describeOther = describeUnread;
      return createFolderSource({
        root: folder,
        paths,
        recognises,
        describeOther,
        parseSidecar,
        include,
        exclude,
        onFolders,
      });
    },
    async plan(asked, indexOptions) {
      const known = await readFolderRoots(store);
      const buckets = known.filter(({ uri }) => isS3Location(uri)).map(({ uri }) => uri);
      const folders = known.filter(({ uri }) => !isS3Location(uri)).map(({ uri }) => fileURLToPath(uri));
      const inBuckets = await Promise.all(
        asked.filter(isS3Location).map((location) => requestedObjects(location, buckets)),
      );
      const onDisk = await Promise.all(asked.filter((path) => !isS3Location(path)).map(requestedPath));

      const rootOf = (uri: string, { root, paths }: FolderRun, requested: readonly RequestedPath[]) => {
        const recorded = known.find((folder) => folder.uri === uri);
        const isAsked = requested.some(({ path }) => path === root);
        const coverage = isAsked ? 'asked-for' : paths.includes(root) ? 'below-what-was-asked-for' : 'part-asked-for';
        return { recorded, root: { uri, ...selectionFor(recorded, indexOptions, root, coverage) } };
      };
      const planFolder = (run: FolderRun): PlannedSource => {
        const planned = rootOf(pathToFileURL(run.root).href, run, onDisk);
        const source = createFolderSource({
          ...planned.root,
          root: run.root,
          paths: run.paths,
          recognises,
          describeOther: describeUnread,
          parseSidecar,
          without: [...run.exclude, location],
          onFolders: indexOptions.onFolders,
        });
        return { ...planned, source };
      };
      const planBucket = async (run: FolderRun): Promise<PlannedSource> => {
        const planned = rootOf(run.root, run, inBuckets);
        const below = (path: string) => path.slice(run.root.length + 1);
        const source = createS3Source({
          ...planned.root,
          client: await connect(),
          root: run.root,
          paths: run.paths.map(below),
          recognises,
          describeOther: describeUnread,
          parseSidecar,
          without: run.exclude.map(below),
          ...(maxFileBytes !== undefined && { maxBytes: maxFileBytes }),
        });
        return { ...planned, source };
      };

      const planned = [
        ...planFolderRuns(folders, onDisk, sep).map(planFolder),
        ...(await Promise.all(planFolderRuns(buckets, inBuckets, '/').map(planBucket))),
      ];
      return { planned, untouched: known.filter(({ uri }) => !planned.some(({ root }) => root.uri === uri)) };
    },
    close() {
      if (s3?.client === undefined) connecting?.then((client) => client.destroy()).catch(() => {});
    },
  };
}

async function requestedPath(path: string): Promise<RequestedPath> {
  try {
    const real = await realpath(path);
    return { path: real, folder: (await stat(real)).isDirectory() ? real : dirname(real) };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new AquiferError(
      missing ? 'source-not-found' : 'source-unreadable',
      missing
        ? `There is no file or folder ${path}. Nothing was changed.`
        : `Cannot read ${path}: ${(error as Error).message}. Nothing was changed.`,
      { cause: error },
    );
  }
}
