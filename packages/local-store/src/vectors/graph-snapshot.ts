import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type HnswGraph, type HnswLibrary, readHnswGraph } from './hnsw-graph.js';

const headerFileName = 'graph.header';
const isGraphFile = (name: string): boolean =>
  /^graph-[0-9a-f]{16}\.hnsw$/.test(name) || name.endsWith('.graph-temporary');
const magic = 'AQGRAPH1';
/** A block of any file system. */
const probeBytes = 65_536;

/** What a graph on disk says of itself. */
export interface GraphHeader {
  /** Of the database that it was derived from. */
  readonly identity: string;
  readonly dimensions: number;
  readonly metric: 'cosine';
  /** State of the database that it was written at. For people; what is missing is found by comparing numbers. */
  readonly generation: number;
  readonly ef: number;
  /** Whether it answers faster than looking at every vector. */
  readonly worthwhile: boolean;
  /** The file beside the header, its length and its CRC-32. */
  readonly payload: { readonly name: string; readonly bytes: number; readonly crc32: number };
}

/**
 * The graph on disk is a header and the library's own file, whose name the header gives. Both are written to temporary
 * files, flushed and renamed, the header last: whoever reads sees a whole graph, the old one or the new one.
 *
 * Header: the magic, the length of a JSON text (32 bits, little endian), that text, the chunk numbers (32 bits each), the
 * CRC-32 of all that.
 */
export async function writeGraphSnapshot(
  location: string,
  graph: HnswGraph,
  facts: Omit<GraphHeader, 'payload' | 'dimensions' | 'metric'>,
): Promise<void> {
  const name = `graph-${randomBytes(8).toString('hex')}.hnsw`;
  const temporary = join(location, `${name}.graph-temporary`);
  const numbers = Uint32Array.from(graph.numbers());
  try {
    await graph.write(temporary);
    const { bytes, checksum } = await flushAndSum(temporary);
    const header: GraphHeader = {
      ...facts,
      dimensions: graph.dimensions,
      metric: 'cosine',
      payload: { name, bytes, crc32: checksum },
    };
    await rename(temporary, join(location, name));
    await replaceFile(join(location, headerFileName), encodeHeader(header, numbers));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await removeGraphFiles(location, name);
}

/** Removes graphs that no header names, and all of them when none is to be kept. */
export async function removeGraphFiles(location: string, keep?: string): Promise<void> {
  const names = (await readdir(location)).filter(
    (name) => (isGraphFile(name) && name !== keep) || (keep === undefined && name === headerFileName),
  );
  for (const name of names) await rm(join(location, name), { force: true });
}

/** Removes graphs that the header does not name, where it is one of this database: what a writer was killed before it could remove. */
export async function removeReplacedGraphs(location: string, expected: ExpectedGraph): Promise<void> {
  const named = (await readGraphHeader(location, expected))?.header.payload.name;
  if (named !== undefined) await removeGraphFiles(location, named);
}

export interface GraphSnapshot {
  readonly header: GraphHeader;
  readonly numbers: Uint32Array;
}

interface ExpectedGraph {
  readonly identity: string;
  readonly dimensions: number;
}

/** The header, or undefined where there is none or it is damaged or of another database. */
export async function readGraphHeader(location: string, expected: ExpectedGraph): Promise<GraphSnapshot | undefined> {
  const bytes = await readFile(join(location, headerFileName)).catch(() => undefined);
  const snapshot = bytes && decodeHeader(bytes);
  if (snapshot === undefined) return undefined;
  const { identity, dimensions, metric } = snapshot.header;
  const fits = identity === expected.identity && dimensions === expected.dimensions && metric === 'cosine';
  return fits ? snapshot : undefined;
}

/** The graph that the header names, or undefined where its file is missing, cut short or changed. */
export async function readGraph(
  location: string,
  { header, numbers }: GraphSnapshot,
  library: HnswLibrary,
): Promise<HnswGraph | undefined> {
  const file = join(location, header.payload.name);
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { bytes, checksum } = await sum(handle);
    if (bytes !== header.payload.bytes || checksum !== header.payload.crc32) return undefined;
  } finally {
    await handle.close();
  }
  return readHnswGraph(library, file, header.dimensions, numbers).catch(() => undefined);
}

function encodeHeader(header: GraphHeader, numbers: Uint32Array): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const body = Buffer.concat([Buffer.from(magic), length, json, Buffer.from(numbers.buffer)]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(body));
  return Buffer.concat([body, checksum]);
}

function decodeHeader(bytes: Buffer): GraphSnapshot | undefined {
  const start = magic.length + 4;
  if (bytes.length < start + 4 || bytes.toString('latin1', 0, magic.length) !== magic) return undefined;
  const body = bytes.subarray(0, -4);
  if (crc32(body) !== bytes.readUInt32LE(body.length)) return undefined;
  const end = start + body.readUInt32LE(magic.length);
  const header = JSON.parse(body.toString('utf8', start, end)) as GraphHeader;
  // A copy, because the numbers may begin at any offset.
  const numbers = new Uint32Array(Uint8Array.from(body.subarray(end)).buffer);
  return { header, numbers };
}

async function sum(handle: FileHandle): Promise<{ bytes: number; checksum: number }> {
  const buffer = Buffer.allocUnsafe(1 << 20);
  let bytes = 0;
  let checksum = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, bytes);
    if (bytesRead === 0) return { bytes, checksum };
    checksum = crc32(buffer.subarray(0, bytesRead), checksum);
    bytes += bytesRead;
  }
}

async function flushAndSum(file: string): Promise<{ bytes: number; checksum: number }> {
  const handle = await open(file, 'r+');
  try {
    // The library does not say when the disk is full, and leaves a file cut short. Then a little more does not fit either.
    const { size } = await handle.stat();
    await handle.write(Buffer.alloc(probeBytes), 0, probeBytes, size);
    await handle.sync();
    await handle.truncate(size);
    return await sum(handle);
  } finally {
    await handle.close();
  }
}

async function replaceFile(file: string, content: Buffer): Promise<void> {
  const temporary = `${file}.graph-temporary`;
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
