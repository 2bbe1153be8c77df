import type { Block, BlockKind } from '@aquifer/contracts';

/**
 * A block without the fields that it does not have. As literals, for fields that are spread into an object take half as much again, and
 * a table may have a million rows.
 */
export function documentBlock(
  kind: BlockKind,
  start: number,
  end: number,
  level: number | undefined,
  header: Block['header'],
): Block {
  if (level === undefined) return header ? { kind, start, end, header } : { kind, start, end };
  return header ? { kind, start, end, level, header } : { kind, start, end, level };
}
