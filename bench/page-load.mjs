// What the first load of the page takes: compressed bytes, and the time until a question can be typed, with an empty cache each time.
// Usage: node bench/page-load.mjs [rounds]   (after a build; needs Debian's Chromium: bash scripts/test-browser.sh)
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFolderHost, createLocalBackend, createRetrievalService } from '@aquifer/retrieval-service';
import { embedderByName, generatorByName } from 'aquifer';
import { chromium } from 'playwright-core';

const rounds = Number(process.argv[2] ?? 9);
const folder = mkdtempSync(join(tmpdir(), 'aquifer-page-load-'));
const service = createRetrievalService({
  backend: createLocalBackend({ embedderByName, generatorByName }),
  knowledgeBases: { host: createFolderHost({ knowledgeBase: { location: join(folder, 'index') } }) },
  page: join(dirname(fileURLToPath(import.meta.url)), '../apps/web/dist/page'),
});
const url = await service.listen({ port: 0 });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const times = [];
let bytes = 0;
for (let round = 0; round < rounds; round++) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => {
    new MutationObserver((_changes, observer) => {
      if (!document.querySelector('textarea')) return;
      globalThis.usableAfterMs = performance.now();
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(url);
  await page.locator('textarea').waitFor();
  times.push(await page.evaluate(() => globalThis.usableAfterMs));
  bytes = await page.evaluate(() =>
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].reduce(
      (sum, entry) => sum + entry.encodedBodySize,
      0,
    ),
  );
  await context.close();
}
await browser.close();
await service.close();
rmSync(folder, { recursive: true, force: true });
times.sort((one, other) => one - other);
console.log(
  `${(bytes / 1_000).toFixed(1)} kB; usable after ${times[rounds >> 1].toFixed(0)} ms (median of ${rounds}), at most ${times.at(-1).toFixed(0)} ms`,
);
