// Runs every compiled test that still has a source, and ends with `N passed, N failed, N skipped`.
// Usage: node scripts/test.mjs [part of a path …]
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const wanted = process.argv.slice(2);

function* compiledTests(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* compiledTests(path);
    else if (entry.name.endsWith('.test.js')) yield path;
  }
}

// Whole programs take longest, and what begins last should not.
const files = ['apps', 'packages']
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name, 'dist')))
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => [...compiledTests(folder)])
  .filter((file) => existsSync(file.replace(/([/\\])dist([/\\])/, '$1src$2').replace(/\.js$/, '.ts')))
  .filter((file) => wanted.length === 0 || wanted.some((part) => relative(root, file).includes(part)));

if (files.length === 0) {
  console.error(`No test matches ${wanted.join(' ') || '(all)'}: build first with "npm run build".`);
  process.exit(1);
}

const count = { passed: 0, failed: 0, skipped: 0 };
const events = run({ files, concurrency: 2 });
const isTest = (data) => data.details?.type !== 'suite' && !files.includes(data.name);
events.on('test:pass', (data) => {
  if (isTest(data)) count[data.skip === undefined && data.todo === undefined ? 'passed' : 'skipped']++;
});
events.on('test:fail', (data) => {
  // A file that could not even be loaded fails under its own name, and must count.
  count.failed += data.details?.type === 'suite' ? 0 : 1;
});
events.on('end', () => {
  setImmediate(() => {
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
  });
});
events.compose(new spec()).pipe(process.stdout);
