import { sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * A path as the disk spells it. On Linux names are bytes: those that are not valid UTF-8 cannot be spelled as a string, and
 * stay bytes.
 */
export type DiskPath = string | Buffer;

/** Bytes of a name or path as a string, where they are one. */
export function diskPathFromBytes(bytes: Buffer): DiskPath {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : bytes;
}

/** A path or name for people: each byte that is not valid UTF-8 as `\xff`. */
export function readableDiskPath(path: DiskPath): string {
  if (typeof path === 'string') return path;
  let readable = '';
  for (let at = 0; at < path.length; ) {
    const character = path.subarray(at, at + utf8Length(path[at] as number));
    const text = character.toString();
    if (Buffer.from(text).equals(character)) {
      readable += text;
      at += character.length;
    } else {
      readable += `\\x${(path[at] as number).toString(16).padStart(2, '0')}`;
      at += 1;
    }
  }
  return readable;
}

function utf8Length(firstByte: number): number {
  return firstByte < 0xc0 ? 1 : firstByte < 0xe0 ? 2 : firstByte < 0xf0 ? 3 : 4;
}

export function joinDiskPath(folder: DiskPath, name: DiskPath): DiskPath {
  if (typeof folder === 'string' && typeof name === 'string') {
    return folder.endsWith(sep) ? folder + name : folder + sep + name;
  }
  return Buffer.concat([Buffer.from(folder as string), Buffer.from(sep), Buffer.from(name as string)]);
}

/** The path with letters appended, such as the ending of a sidecar. */
export function appendToDiskPath(path: DiskPath, ending: string): DiskPath {
  return typeof path === 'string' ? path + ending : Buffer.concat([path, Buffer.from(ending)]);
}

/** Equal for equal paths, different for different ones: for sets. */
export function diskPathKey(path: DiskPath): string {
  return typeof path === 'string' ? path : `\0${path.toString('latin1')}`;
}

export function isAtOrBelowFolder(path: DiskPath, folder: string): boolean {
  const prefix = folder.endsWith(sep) ? folder : folder + sep;
  if (typeof path === 'string') return path === folder || path.startsWith(prefix);
  const bytes = Buffer.from(prefix);
  return path.subarray(0, bytes.length).equals(bytes);
}

/** The `file:` URL. Its percent signs can spell any byte (RFC 8089, section 2). */
export function diskPathUri(path: DiskPath): string {
  if (typeof path === 'string') return pathToFileURL(path).href;
  let uri = 'file://';
  for (const byte of path) {
    const letter = String.fromCharCode(byte);
    uri += /[\w/.~-]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return uri;
}

/** The inverse of {@link diskPathUri}. */
export function diskPathOfUri(uri: string): DiskPath {
  try {
    return fileURLToPath(uri);
  } catch {
    // Bytes that are not valid UTF-8.
    const bytes = uri
      .slice('file://'.length)
      .replace(/%([\dA-F]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
    return diskPathFromBytes(Buffer.from(bytes, 'latin1'));
  }
}
