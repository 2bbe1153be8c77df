// Checks what the compiler and the linter do not: import directions, file names, explicit exports, process.env.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

// Who may import whom. Tests may import anything: they compose real parts.
const floor = ['@aquifer/contracts', '@aquifer/text-analysis'];
const mayImport = {
  'packages/contracts': [],
  'packages/text-analysis': ['@aquifer/contracts'],
  'packages/client': [],
  'packages/aquifer': [
    ...floor,
    ...['documents', 'ingestion', 'local-store', 'models', 'postgres-store', 'retrieval'].map(
      (name) => `@aquifer/${name}`,
    ),
  ],
  'apps/retrieval-service': [...floor, 'aquifer', '@aquifer/bedrock-wire'],
  'apps/ingestion-worker': ['aquifer'],
  'apps/web': ['@aquifer/client'],
  'apps/cli': ['aquifer', '@aquifer/ingestion-worker', '@aquifer/retrieval-service'],
};
const forbiddenNames = /^(utils?|helpers?|common|misc|types|base-.*|abstract-.*)\.(ts|mts|js|mjs)$/;
/** Built into files that need nothing else, so what they are made of is not installed with them. */
const bundled = ['apps/web'];
const readsEnvironment = [/^packages\/aquifer\/src\/config\//, /^apps\/[^/]+\/src\/main\.ts$/];

// Static imports and exports from, and dynamic imports, at the beginning of a statement or an expression.
const importPattern = /^(?:import|export) [\w\s{},*]*from '([^'.][^']*)'|\bimport\('([^'.][^']*)'\)/gm;

const problems = [];
const report = (file, problem) => problems.push(`${relative(root, file)}: ${problem}`);

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (['node_modules', 'dist'].includes(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.(tsx?|mts|mjs|js)$/.test(entry.name)) yield path;
  }
}

for (const group of ['packages', 'apps']) {
  for (const name of readdirSync(join(root, group))) {
    const unit = `${group}/${name}`;
    const own = JSON.parse(readFileSync(join(root, unit, 'package.json'), 'utf8'));
    const allowed = mayImport[unit] ?? floor;
    const declared = {
      ...own.dependencies,
      ...own.optionalDependencies,
      ...own.peerDependencies,
      ...(bundled.includes(unit) && own.devDependencies),
    };
    for (const file of sources(join(root, unit, 'src'))) {
      const path = relative(root, file).split(sep).join('/');
      const text = readFileSync(file, 'utf8');
      if (forbiddenNames.test(basename(file))) report(file, 'the name says nothing; name it after its main export');
      if (
        !/^[a-z0-9-]+(\.(contract|test|integration\.test|test-fixture|test-process)|\.d)?\.tsx?$/.test(basename(file))
      )
        report(file, 'file names are kebab-case, with .test, .contract or .test-… for what only tests use');
      if (/^export \*/m.test(text)) report(file, 'export names, not *');
      if (basename(file) === 'index.ts' && !/src\/(testing\/)?index\.ts$/.test(path))
        report(file, 'index.ts only at a package root');
      if (/\.test(-fixture|-process)?\.ts$/.test(path) || (/\/testing\//.test(path) && unit !== 'packages/contracts'))
        continue;
      if (/\bprocess\.env\b/.test(text) && !readsEnvironment.some((pattern) => pattern.test(path))) {
        report(file, 'only packages/aquifer/src/config and apps/*/src/main.ts read process.env');
      }
      for (const [, fixed, dynamic] of text.matchAll(importPattern)) {
        const from = fixed ?? dynamic;
        const imported = from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : from.split('/')[0];
        if (/^(@aquifer\/|aquifer$)/.test(imported) && imported !== own.name && !allowed.includes(imported)) {
          report(file, `${own.name} must not import ${imported}`);
        } else if (!from.startsWith('node:') && imported !== own.name && !(imported in declared)) {
          report(file, `${imported} is not in the dependencies of ${own.name}`);
        }
      }
    }
  }
}

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'structure: ok' : `structure: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
