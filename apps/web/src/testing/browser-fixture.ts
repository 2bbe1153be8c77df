import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createFolderHost,
  createLocalBackend,
  createRetrievalService,
  type RetrievalServiceOptions,
} from '@aquifer/retrieval-service';
import { embedderByName, type Generator, generatorByName } from 'aquifer';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Debian's Chromium, or the one that `AQUIFER_TEST_CHROMIUM` names. */
const executable = [process.env.AQUIFER_TEST_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== undefined && existsSync(path),
);

/** Why tests in a browser are skipped, or false. */
export const withoutBrowser = executable === undefined && 'there is no Chromium here: bash scripts/test-browser.sh';

export const builtPage = join(dirname(fileURLToPath(import.meta.url)), '../page');

/** A service with an empty knowledge base and the built page, and a real browser; `close` ends both. */
export async function startBrowser({
  model,
  ...options
}: Partial<RetrievalServiceOptions> & { readonly model?: Generator } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-browser-'));
  const host = createFolderHost({
    knowledgeBase: { location: join(folder, 'index'), threads: 1, ...(model && { model }) },
    uploadFolder: join(folder, 'uploads'),
  });
  const service = createRetrievalService({
    backend: createLocalBackend({ embedderByName, generatorByName }),
    knowledgeBases: { host },
    page: builtPage,
    ...options,
  });
  const url = await service.listen({ port: 0 });
  const browser = await chromium.launch({
    ...(executable !== undefined && { executablePath: executable }),
    // Chromium's own sandbox does not work for root, nor in most containers.
    args: ['--no-sandbox'],
  });
  return {
    url,
    folder,
    host,
    /** A page of a new browser; what it says on its console, and where it sent requests, is kept. */
    async open(path = '/', context: BrowserContextOptions = {}): Promise<OpenedPage> {
      const opened = await browser.newContext({ viewport: { width: 1280, height: 850 }, locale: 'en-US', ...context });
      const page = await opened.newPage();
      page.setDefaultTimeout(40_000);
      const trouble: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') trouble.push(message.text());
      });
      page.on('pageerror', (error) => trouble.push(String(error)));
      page.on('dialog', (dialog) => {
        trouble.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('request', (request) => {
        if (!request.url().startsWith(url) && !request.url().startsWith('blob:')) trouble.push(request.url());
      });
      await page.goto(url + path);
      return { page, trouble };
    },
    async close(): Promise<void> {
      await browser.close();
      await service.close({ graceMs: 500 });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface OpenedPage {
  readonly page: Page;
  /** Errors, warnings, dialogs, and requests to anywhere but the service: empty where all is well. */
  readonly trouble: string[];
}

export type StartedBrowser = Awaited<ReturnType<typeof startBrowser>>;

/** Drops files onto the page as a person would from their desktop. */
export async function dropFiles(page: Page, files: readonly { readonly name: string; readonly bytes: Buffer }[]) {
  const transfer = await page.evaluateHandle(
    (sent) => {
      const data = new DataTransfer();
      for (const { name, base64 } of sent) {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        data.items.add(new File([bytes], name));
      }
      return data;
    },
    files.map(({ name, bytes }) => ({ name, base64: bytes.toString('base64') })),
  );
  await page.locator('.drop').dispatchEvent('drop', { dataTransfer: transfer });
}
