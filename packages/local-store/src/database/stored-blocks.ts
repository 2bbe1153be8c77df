import { type Block, type BlockKind, blockKinds } from '@aquifer/contracts';

/** Which header a block has. */
const headers = { none: 0, itself: 1, asBefore: 2, stated: 3 } as const;

/** Blocks that are written in one go. */
const pieceBlocks = 4_096;

/**
 * The blocks of a document as a JSON array of numbers, five a block: kind, characters since the block before, length, level or -1,
 * and which header, of which start and end follow where it is another one than that of the rows before. As objects the
 * rows of a large table take ten times as much, more than its text.
 */
export function encodeBlocks(blocks: readonly Block[]): string {
  const pieces: string[] = [];
  let numbers: number[] = [];
  let position = 0;
  let before: Block['header'];
  const writePiece = () => {
    pieces.push(numbers.join());
    numbers = [];
  };
  for (const [index, { kind, start, end, level = -1, header }] of blocks.entries()) {
    if (index > 0 && index % pieceBlocks === 0) writePiece();
    numbers.push(blockKinds.indexOf(kind), start - position, end - start, level);
    position = end;
    if (header === undefined) numbers.push(headers.none);
    else if (header.start === start && header.end === end) numbers.push(headers.itself);
    else if (header.start === before?.start && header.end === before.end) numbers.push(headers.asBefore);
    else numbers.push(headers.stated, header.start, header.end);
    before = header ?? before;
  }
  writePiece();
  return `[${pieces.join()}]`;
}

/** Takes the blocks as objects, too, as they were stored once. */
export function decodeBlocks(json: string): Block[] {
  const stored = JSON.parse(json) as number[] | Block[];
  if (typeof stored[0] !== 'number') return stored as Block[];
  const numbers = stored as number[];
  const blocks: Block[] = [];
  let position = 0;
  let before: Block['header'];
  for (let at = 0; at < numbers.length; ) {
    const next = () => numbers[at++] as number;
    const kind = blockKinds[next()] as BlockKind;
    const start = position + next();
    const end = start + next();
    const level = next();
    const which = next();
    position = end;
    if (which === headers.itself) before = { start, end };
    else if (which === headers.stated) before = { start: next(), end: next() };
    const header = which === headers.none ? undefined : before;
    blocks.push({ kind, start, end, ...(level >= 0 && { level }), ...(header && { header }) });
  }
  return blocks;
}
