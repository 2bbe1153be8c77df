/** The streams of a compound file (MS-CFB), the container of Office before 2007, by name. */
export interface CompoundFile {
  /** A stream at the top of the file, or undefined where there is none of that name. */
  readonly stream: (name: string) => Uint8Array | undefined;
}

const signature = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/** Sector numbers from here on mark ends and free places. */
const lastSector = 0xfffffffa;
const noEntry = 0xffffffff;

interface Entry {
  readonly name: string;
  readonly type: number;
  readonly left: number;
  readonly right: number;
  readonly child: number;
  readonly start: number;
  readonly size: number;
}

export function isCompoundFile(bytes: Uint8Array): boolean {
  return signature.every((byte, index) => bytes[index] === byte);
}

/**
 * Opens a compound file. Chains of sectors that run in circles, and sizes that the file cannot have, end as undefined: nothing is
 * read more than once, and no stream is longer than the file.
 */
export function openCompoundFile(bytes: Uint8Array): CompoundFile | undefined {
  if (!isCompoundFile(bytes) || bytes.length < 512) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sectorSize = 2 ** view.getUint16(30, true);
  const smallSize = 2 ** view.getUint16(32, true);
  if ((sectorSize !== 512 && sectorSize !== 4096) || smallSize !== 64) return undefined;
  const sectorCount = Math.ceil(bytes.length / sectorSize) - 1;
  const offsetOf = (sector: number) => (sector + 1) * sectorSize;
  const numberAt = (offset: number) => (offset + 4 <= bytes.length ? view.getUint32(offset, true) : noEntry);

  const tableSectors: number[] = [];
  for (let index = 0; index < 109; index++) tableSectors.push(numberAt(76 + index * 4));
  let extension = numberAt(68);
  for (let count = 0; extension < lastSector && count <= sectorCount; count++) {
    const offset = offsetOf(extension);
    for (let index = 0; index < sectorSize / 4 - 1; index++) tableSectors.push(numberAt(offset + index * 4));
    extension = numberAt(offset + sectorSize - 4);
  }

  const nextSector = (sector: number) => {
    const table = tableSectors[Math.floor((sector * 4) / sectorSize)];
    return table === undefined || table >= lastSector
      ? noEntry
      : numberAt(offsetOf(table) + ((sector * 4) % sectorSize));
  };
  const read = (start: number, size: number) =>
    chain(bytes, { start, size, count: sectorCount, next: nextSector, unit: sectorSize, offsetOf });

  const directory = read(numberAt(48), Number.POSITIVE_INFINITY);
  if (!directory) return undefined;
  const entries: Entry[] = [];
  for (let offset = 0; offset + 128 <= directory.length; offset += 128) entries.push(entryAt(directory, offset));
  const [root] = entries;
  if (root?.type !== 5) return undefined;

  // Streams below the cutoff stand in sectors of their own, inside the stream of the root.
  const cutoff = numberAt(56);
  const smallTable = read(numberAt(60), Number.POSITIVE_INFINITY) ?? new Uint8Array();
  const smallTableView = new DataView(smallTable.buffer, smallTable.byteOffset, smallTable.byteLength);
  const smallStream = read(root.start, root.size) ?? new Uint8Array();
  const nextSmall = (sector: number) =>
    sector * 4 + 4 <= smallTable.length ? smallTableView.getUint32(sector * 4, true) : noEntry;

  const streams = new Map<string, Entry>();
  const seen = new Set<number>();
  const stack = [root.child];
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    const entry = entries[index];
    if (!entry || seen.has(index)) continue;
    seen.add(index);
    if (entry.type === 2) streams.set(entry.name.toLowerCase(), entry);
    stack.push(entry.left, entry.right);
  }

  return {
    stream(name) {
      const entry = streams.get(name.toLowerCase());
      if (!entry) return undefined;
      if (entry.size >= cutoff) return read(entry.start, entry.size);
      return chain(smallStream, {
        start: entry.start,
        size: entry.size,
        count: Math.ceil(smallStream.length / smallSize),
        next: nextSmall,
        unit: smallSize,
        offsetOf: (sector) => sector * smallSize,
      });
    },
  };
}

interface Chain {
  readonly start: number;
  readonly size: number;
  /** How many sectors there are: a longer chain runs in circles. */
  readonly count: number;
  readonly next: (sector: number) => number;
  readonly unit: number;
  readonly offsetOf: (sector: number) => number;
}

/** The bytes of a chain of sectors, or undefined where it is broken. What a cut-off file lacks at the end is missing. */
function chain(bytes: Uint8Array, { start, size, count, next, unit, offsetOf }: Chain): Uint8Array | undefined {
  const pieces: Uint8Array[] = [];
  let left = size;
  let steps = 0;
  for (let sector = start; sector < lastSector && left > 0; sector = next(sector)) {
    if (++steps > count || sector >= count) return undefined;
    const offset = offsetOf(sector);
    const piece = bytes.subarray(offset, offset + Math.min(unit, left));
    pieces.push(piece);
    left -= piece.length;
    if (piece.length === 0) break;
  }
  return Number.isFinite(size) && left > 0 ? undefined : Buffer.concat(pieces);
}

function entryAt(directory: Uint8Array, offset: number): Entry {
  const view = new DataView(directory.buffer, directory.byteOffset + offset, 128);
  const nameBytes = Math.min(64, Math.max(2, view.getUint16(64, true))) - 2;
  return {
    name: new TextDecoder('utf-16le').decode(directory.subarray(offset, offset + nameBytes)),
    type: view.getUint8(66),
    left: view.getUint32(68, true),
    right: view.getUint32(72, true),
    child: view.getUint32(76, true),
    start: view.getUint32(116, true),
    size: view.getUint32(120, true),
  };
}
