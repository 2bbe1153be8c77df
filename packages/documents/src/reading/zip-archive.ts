import { crc32, inflateRawSync } from 'node:zlib';
import { AquiferError, allocateMapped, mostKeptBytes } from '@aquifer/contracts';

/** The unpacked parts of a ZIP file by path. */
export type ZipParts = ReadonlyMap<string, Uint8Array>;

export interface UnpackOptions {
  /** Which parts to unpack, by path. */
  readonly matches: (path: string) => boolean;
  /** Of all those parts together, unpacked. */
  readonly maxBytes: number;
}

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;

/** Parts from this size on are unpacked into one piece of memory, of which only what is written to is taken, and not into many that are then put together; it is more than glibc keeps when it is given back. */
const large = 2 ** 20;

/**
 * Unpacks parts of a ZIP file (APPNOTE.TXT 6.3, 4.3; without ZIP64, encryption or several disks, none of which Office uses).
 * A hostile file can neither fill the memory nor unpack to more than it declares.
 *
 * @param name File name for messages.
 * @throws `invalid-document` where the archive is damaged or lies about sizes, `too-large` beyond `maxBytes`.
 */
export function unpackZip(bytes: Uint8Array, name: string, { matches, maxBytes }: UnpackOptions): ZipParts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const damaged = (what: string) =>
    new AquiferError('invalid-document', `${name} is damaged: ${what}. Get a new copy, or open it and save it again.`);

  const end = findEnd(view);
  if (end === undefined) throw damaged('it has no end, perhaps because it was cut off');
  const parts = new Map<string, Uint8Array>();
  let total = 0;
  let offset = view.getUint32(end + 16, true);
  for (let count = view.getUint16(end + 10, true); count > 0; count--) {
    if (offset + 46 > end || view.getUint32(offset, true) !== entrySignature)
      throw damaged('its list of parts is broken');
    const method = view.getUint16(offset + 10, true);
    const packedSize = view.getUint32(offset + 20, true);
    const size = view.getUint32(offset + 24, true);
    const pathLength = view.getUint16(offset + 28, true);
    const header = view.getUint32(offset + 42, true);
    const path = new TextDecoder().decode(bytes.subarray(offset + 46, offset + 46 + pathLength));
    offset += 46 + pathLength + view.getUint16(offset + 30, true) + view.getUint16(offset + 32, true);
    if (!matches(path)) continue;

    total += size;
    if (total > maxBytes) {
      throw new AquiferError(
        'too-large',
        `${name} unpacks to more than ${Math.floor(maxBytes / 2 ** 20)} MB. Split it into smaller files.`,
      );
    }
    if (header + 30 > bytes.length || view.getUint32(header, true) !== localSignature)
      throw damaged(`its part ${path} is missing`);
    const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    const packed = bytes.subarray(start, start + packedSize);
    if (packed.length !== packedSize) throw damaged(`its part ${path} is cut off`);
    const unpacked = unpackPart(packed, method, size);
    if (unpacked?.length !== size) throw damaged(`its part ${path} does not unpack to the size it declares`);
    parts.set(path, unpacked);
  }
  return parts;
}

/**
 * A ZIP file of the parts, not compressed. What a library without bounds of its own is given, so that it meets nothing
 * that was not checked.
 */
export function packZip(parts: ZipParts): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [path, data] of parts) {
    const pathBytes = Buffer.from(path);
    // Version, flags (UTF-8 path), method, time, date, checksum, both sizes, length of the path, of the extra field.
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x0800, 2);
    fields.writeUInt16LE(0x0021, 8);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(pathBytes.length, 22);
    locals.push(uint32(localSignature), fields, pathBytes, asBuffer(data));
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(uint32(entrySignature), Buffer.from([20, 0]), fields, rest, pathBytes);
    offset += 30 + pathBytes.length + data.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(parts.size, 4);
  end.writeUInt16LE(parts.size, 6);
  end.writeUInt32LE(
    directory.reduce((sum, item) => sum + item.length, 0),
    8,
  );
  end.writeUInt32LE(offset, 12);
  const pieces = [...locals, ...directory, uint32(endSignature), end];
  const packed = allocateMapped(pieces.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const piece of pieces) filled += piece.copy(packed, filled);
  return packed;
}

/** Position of the end record, which is followed by a comment of up to 65,535 bytes. */
function findEnd(view: DataView): number | undefined {
  for (let offset = view.byteLength - 22; offset >= Math.max(0, view.byteLength - 22 - 0xffff); offset--) {
    if (view.getUint32(offset, true) === endSignature) return offset;
  }
  return undefined;
}

function unpackPart(packed: Uint8Array, method: number, size: number): Uint8Array | undefined {
  if (method === 0) return packed;
  if (method !== 8) return undefined;
  try {
    // One byte more than declared is enough to see that the declaration is wrong.
    return inflateRawSync(packed, {
      maxOutputLength: size + 1,
      ...(size >= large && { chunkSize: Math.max(size, mostKeptBytes) + 1 }),
    });
  } catch {
    return undefined;
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
