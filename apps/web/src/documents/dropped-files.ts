import type { NamedFile } from '@aquifer/client';

/** The files of a drop, those in folders too, under the names that they have from there. */
export async function droppedFiles(transfer: DataTransfer): Promise<NamedFile[]> {
  // The list is empty as soon as the handler of the event has returned, so all entries are taken first.
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const entries = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const files: NamedFile[] = [];
  for (const { entry, file } of entries) {
    if (entry?.isDirectory) await collect(entry, files);
    else if (file) files.push({ name: file.name, content: file });
  }
  return files;
}

async function collect(entry: FileSystemEntry, files: NamedFile[]): Promise<void> {
  if (entry.isFile) {
    const content = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    files.push({ name: entry.fullPath.replace(/^\//, ''), content });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const each of some) await collect(each, files);
  }
}
