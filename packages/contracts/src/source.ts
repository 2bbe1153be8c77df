import type { Metadata } from './metadata.js';

/** One file of a source, listed but not read. */
export interface SourceItem {
  /** Inside the source, with `/` on every system, Unicode NFC. Unique within the source. */
  readonly path: string;
  readonly uri: string;
  readonly bytes: number;
  /** Equal to the stored stamp: unchanged, need not be read. Covers the sidecar as well. */
  readonly stamp: string;
  readonly mediaType?: string;
  /** Whether a file of attributes lies beside it. Absent: the source does not say. */
  readonly hasSidecar?: boolean;
  /** Empty: there is none, and the path does not serve as one. */
  readonly title?: string;
  /**
   * Reads the bytes, and the attributes that come from beside the file (a `<file>.metadata.json` in Bedrock's form).
   *
   * @throws `source-unreadable`, `source-changed` (it changed or vanished while read), `invalid-document` (sidecar).
   */
  read(signal?: AbortSignal): Promise<SourceContent>;
}

export interface SourceContent {
  readonly bytes: Uint8Array;
  readonly metadata: Metadata;
  /** The stamp of what was read, where the file changed after it was listed. Default: the listed one. */
  readonly stamp?: string;
}

/** A place in a source that gives no document, and why. */
export interface SourceOmission {
  readonly path: string;
  /**
   * - `unsupported`: no reader takes such a file. It is counted, and that is all.
   * - `hidden`: a hidden file or folder, or one of tools. `excluded`: left out by rules that the user has made.
   *   `outside`: a link that leads out of the source. What was indexed at or below these paths goes.
   * - `unreadable`: a file or folder that could not be listed. What was indexed at or below this path is kept.
   */
  readonly omitted: 'unsupported' | 'hidden' | 'excluded' | 'outside' | 'unreadable';
  /** For people. */
  readonly reason: string;
}

/** Where documents come from: a folder, a bucket, a program. */
export interface Source {
  /** Stable across runs, such as the folder's URI. */
  readonly id: string;
  /** For people. */
  readonly description: string;
  /**
   * The paths that this run covers: documents below them that are not listed any more are gone. A path covers itself
   * and all that lies below it; `''` covers the whole source.
   */
  readonly scope: readonly string[];
  /** @throws `source-not-found`, `source-unreadable` */
  list(signal?: AbortSignal): AsyncIterable<SourceItem | SourceOmission>;
}
