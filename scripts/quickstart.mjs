// Indexes examples/handbook into a folder of its own and asks it three questions, with the command that people use.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const questions = [
  'How long is parental leave in Japan?',
  'What is the daily meal allowance when travelling?',
  '育児休業は何週間取得できますか？',
];

const folder = mkdtempSync(join(tmpdir(), 'aquifer-quickstart-'));
const aquifer = (...args) => {
  console.log(`\n$ npx aquifer ${args.map((arg) => (/[^\w./-]/.test(arg) ? `"${arg}"` : arg)).join(' ')}`);
  const bin = join(root, 'apps/cli/bin/aquifer.js');
  const { status, signal } = spawnSync(process.execPath, [bin, ...args, '--kb', folder], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    console.error(`The command ended with ${signal ?? `status ${status}`}.`);
    process.exit(1);
  }
};

aquifer('index', 'examples/handbook');
for (const question of questions) aquifer('ask', question);
rmSync(folder, { recursive: true, force: true });
console.log('\nThat was your machine alone. Now your own folder:');
console.log('  npx aquifer index <folder>');
console.log('  npx aquifer ask "…"');
