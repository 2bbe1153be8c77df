import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Large files that tests use and the repository does not contain (models, retrieval sets): in a folder `shared` beside
 * the checkout, or in `sharedFolder`. Spread the result's `skip` into a test's options.
 *
 * @param testFileUrl The test's `import.meta.url`.
 * @param sharedFolder What the environment variable `AQUIFER_SHARED` says.
 */
export function sharedFile(
  name: string,
  testFileUrl: string,
  sharedFolder?: string,
): { readonly path: string; readonly skip?: string } {
  const candidates = sharedFolder === undefined ? [] : [sharedFolder];
  let folder = dirname(fileURLToPath(testFileUrl));
  for (let parent = dirname(folder); parent !== folder; parent = dirname(folder)) {
    candidates.push(join(folder, 'shared'));
    folder = parent;
  }
  const path = candidates.map((candidate) => join(candidate, name)).find((candidate) => existsSync(candidate));
  return path === undefined
    ? { path: name, skip: `${name} is neither in a folder "shared" beside the checkout nor in AQUIFER_SHARED` }
    : { path };
}
