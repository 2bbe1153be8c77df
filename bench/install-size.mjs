// What `npm i aquifer` brings: packs every package, installs the tarballs into an empty folder, measures it.
//   node bench/install-size.mjs        (needs the package registry)
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'aquifer-install-'));
const npm = (args, cwd) => execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

const sizeOf = (path) => {
  const entry = lstatSync(path);
  if (!entry.isDirectory()) return entry.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
};

const packages = readdirSync(join(root, 'packages'));
const tarballs = Object.fromEntries(
  packages.map((name) => {
    const [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], join(root, 'packages', name)));
    return [packed.name, `file:./${packed.filename}`];
  }),
);
// The siblings are not on a registry, so their tarballs are named; nothing else is added to what a user would have.
const manifest = {
  name: 'user',
  private: true,
  dependencies: tarballs,
  allowScripts: { 'better-sqlite3-multiple-ciphers': true, 'hnswlib-node': true },
};
writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
const startedAt = performance.now();
npm(['install', '--no-audit', '--no-fund'], folder);
const seconds = (performance.now() - startedAt) / 1000;

const modules = join(folder, 'node_modules');
const sizes = readdirSync(modules)
  .flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
  )
  .map((name) => [name, sizeOf(join(modules, name))])
  .sort((a, b) => b[1] - a[1]);
const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
console.log(`| package | MB |\n|---|---|`);
for (const [name, bytes] of sizes.slice(0, 8)) console.log(`| ${name} | ${(bytes / 1e6).toFixed(1)} |`);
console.log(`| **all ${sizes.length}** | **${(total / 1e6).toFixed(1)}** |`);
console.log(`\nInstalled in ${seconds.toFixed(0)} s, addons built from source.`);
rmSync(folder, { recursive: true });
