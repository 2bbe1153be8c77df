import { existsSync, renameSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';

/** Where the index is built that will take the place of the one at `location`. */
export const nextIndexFolder = (location: string): string => `${location}.re-embedding`;
const replacedFolder = (location: string) => `${location}.replaced`;

/** Puts the complete next index in the place of the old one, and deletes the old one. Both must be closed. */
export async function replaceIndex(location: string): Promise<void> {
  await rename(location, replacedFolder(location));
  await rename(nextIndexFolder(location), location);
  await rm(replacedFolder(location), { recursive: true, force: true });
}

/** A crash between the two renames leaves no index in its place: puts the old one back. */
export function finishReplacement(location: string): void {
  if (!existsSync(location) && existsSync(replacedFolder(location))) renameSync(replacedFolder(location), location);
}
