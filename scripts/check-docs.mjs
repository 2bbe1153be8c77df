// Checks what the docs claim: TypeScript blocks compile, relative links lead somewhere, every error code and setting is listed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { settingNames } from 'aquifer';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'bench/README.md']
  .concat(readdirSync(join(root, 'docs')).map((name) => `docs/${name}`))
  .filter((page) => page.endsWith('.md') && existsSync(join(root, page)));
const problems = [];

// Inside node_modules, so that the blocks import the packages as users do.
const folder = join(root, 'node_modules/.cache/docs');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const blocks = [];
for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8');
  for (const [, code] of text.matchAll(/^```ts\n(.*?)^```/gms)) {
    const name = `${page.replaceAll(/[/.]/g, '-')}-${blocks.length}.ts`;
    writeFileSync(join(folder, name), `${code}\nexport {};\n`);
    blocks.push(name);
  }
  for (const [, target] of text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)) {
    if (!existsSync(join(root, dirname(page), target))) problems.push(`${page}: the link to ${target} leads nowhere`);
  }
}
const compilerOptions = { noEmit: true, noUnusedLocals: false, noUnusedParameters: false };
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files: blocks, include: [] }),
);
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const result = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
if (result.status !== 0) problems.push(result.stdout.replaceAll(`${relative(process.cwd(), folder)}/`, ''));

const errorsPage = readFileSync(join(root, 'docs/errors.md'), 'utf8');
const errorCodes = readFileSync(join(root, 'packages/contracts/src/errors.ts'), 'utf8').matchAll(
  /^ {2}\| '([a-z-]+)'/gm,
);
for (const [, code] of errorCodes) {
  if (!errorsPage.includes(`| \`${code}\` |`)) problems.push(`docs/errors.md does not list ${code}`);
}
const settingsPage = readFileSync(join(root, 'docs/settings.md'), 'utf8');
for (const name of settingNames) {
  if (!settingsPage.includes(`| \`${name}\` |`)) problems.push(`docs/settings.md does not list ${name}`);
}

for (const problem of problems) console.error(problem);
console.log(
  problems.length === 0 ? `docs: ok, ${blocks.length} code blocks compile` : `docs: ${problems.length} problems`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
