import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Small records in files of JSON, one each. A record is replaced as a whole, so that whoever reads, in this process or another one that has the
 * folder too, sees the old one or the new one.
 */
export interface RecordFolder<Value> {
  /** In order of name. */
  names(): Promise<readonly string[]>;
  read(name: string): Promise<Value | undefined>;
  write(name: string, value: Value): Promise<void>;
  remove(name: string): Promise<void>;
}

const ending = '.json';

export function createRecordFolder<Value>(path: string): RecordFolder<Value> {
  return {
    async names() {
      const files = await readdir(path).catch(nothingThere);
      return (files ?? [])
        .filter((file) => file.endsWith(ending))
        .map((file) => file.slice(0, -ending.length))
        .sort();
    },
    async read(name) {
      const text = await readFile(join(path, name + ending), 'utf8').catch(nothingThere);
      return text === undefined ? undefined : (JSON.parse(text) as Value);
    },
    async write(name, value) {
      await mkdir(path, { recursive: true, mode: 0o700 });
      const temporary = join(path, `${name}.${randomUUID()}.new`);
      await writeFile(temporary, JSON.stringify(value), { mode: 0o600 });
      await rename(temporary, join(path, name + ending));
    },
    remove: (name) => rm(join(path, name + ending), { force: true }),
  };
}

/** For what may not be there. */
export function nothingThere(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
