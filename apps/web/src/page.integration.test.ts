import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openKeyRing } from '@aquifer/retrieval-service';
import { dropFiles, type StartedBrowser, startBrowser, withoutBrowser } from './testing/browser-fixture.js';

const handbook = join(import.meta.dirname, '../../../examples/handbook');
const policy = { name: 'leave-policy-2025.pdf', bytes: readFileSync(join(handbook, 'people/leave-policy-2025.pdf')) };
const japanese = { name: '育児介護休業規程.pdf', bytes: readFileSync(join(handbook, 'ja/育児介護休業規程.pdf')) };

describe('the page in Chromium', { skip: withoutBrowser }, () => {
  let started: StartedBrowser;
  before(async () => {
    started = await startBrowser();
  });
  after(() => started?.close());

  test('a PDF is dropped, its progress is shown, a question is answered, and a citation opens the page with the passage marked', async () => {
    const { page, trouble } = await started.open('/documents');
    await dropFiles(page, [policy, { name: 'broken.pdf', bytes: Buffer.from('%PDF-1.7 not really') }]);
    const upload = page.locator('.upload');
    await upload.getByText('Done, some failed').waitFor();
    assert.match(await upload.innerText(), /2 of 2 files/);
    assert.match(await upload.locator('.failures').innerText(), /broken\.pdf .{10,}/);
    const rows = page.locator('.documents tbody tr');
    assert.equal(await rows.count(), 2);
    assert.match(await rows.filter({ hasText: 'broken.pdf' }).innerText(), /Failed/);

    await page.getByRole('link', { name: 'Ask' }).click();
    await page.getByLabel('Question').fill('How long is parental leave in Japan?');
    await page.keyboard.press('Enter');
    const citation = page.getByRole('button', { name: /^Source 1: Leave policy 2025/ }).first();
    await citation.waitFor();
    assert.match(await page.locator('.answer-text').innerText(), /52 weeks/);
    await citation.focus();
    await page.keyboard.press('Enter');
    const marks = page.locator('.pdf-text mark');
    await marks.first().waitFor();
    assert.match((await marks.allInnerTexts()).join(''), /may take 52 weeks of parental leave/);
    assert.match(await page.locator('.pdf-tools').innerText(), /Page 3 of 5/);
    // The page was drawn, not only its text: something of the canvas is dark.
    const isDrawn = await page.locator('.pdf-sheet canvas').evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value, index) => index % 4 === 0 && value < 80);
    });
    assert.ok(isDrawn);
    const frame = (await page.locator('.pdf-frame').boundingBox())!;
    const mark = (await marks.first().boundingBox())!;
    assert.ok(mark.y > frame.y && mark.y < frame.y + frame.height, 'the mark is in sight');

    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.source').count(), 0);
    assert.ok(await citation.evaluate((element) => element === document.activeElement), 'the focus is where it was');
    assert.deepEqual(trouble, []);
  });

  test('what the documents do not answer is said, and nothing is made up', async () => {
    const { page, trouble } = await started.open('/');
    await page.getByLabel('Question').fill('Who won the football world cup in 1998?');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.locator('.callout.abstained').waitFor();
    assert.equal(await page.locator('.citation').count(), 0);
    assert.deepEqual(trouble, []);
  });

  test('Japanese throughout, in the dark, on a small screen, with nothing beside the screen', async () => {
    const { page, trouble } = await started.open('/documents', {
      locale: 'ja-JP',
      colorScheme: 'dark',
      viewport: { width: 360, height: 740 },
    });
    await dropFiles(page, [japanese]);
    await page.getByText('完了').waitFor();
    for (const path of ['/documents', '/search', '/status', '/']) {
      await page.goto(started.url + path);
      await page.locator('main h1').waitFor({ state: 'attached' });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 360, `${path} is ${width} px wide`);
    }
    await page.getByLabel('質問').fill('育児休業は何週間取得できますか？');
    await page.getByRole('button', { name: '質問', exact: true }).click();
    await page.locator('.citation').first().click();
    await page.locator('.pdf-text mark').first().waitFor();
    assert.match((await page.locator('.pdf-text mark').allInnerTexts()).join(''), /52週間/);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'ja');
    const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    assert.equal(ground, 'rgb(21, 24, 27)');
    assert.deepEqual(trouble, []);
  });

  test('search shows what each leg gave, filters by a click, and says why', async () => {
    const { page, trouble } = await started.open('/search');
    await page.getByRole('searchbox').fill('parental leave');
    await page.keyboard.press('Enter');
    const match = page.locator('.match').filter({ hasText: 'leave-policy-2025.pdf' }).first();
    await match.waitFor();
    assert.match(await match.locator('.scores').innerText(), /Score\s+[\d.]+\s+Meaning\s+[\d.]+\s+Words\s+[\d.]+/);
    const before = await page.locator('.match').count();
    await match.locator('.chip', { hasText: 'title' }).or(match.locator('.chip')).first().click();
    await page.locator('.chip.active').waitFor();
    await page.locator('.chip.active').getByRole('button').first().click();
    await page.waitForFunction((count) => document.querySelectorAll('.match').length !== count, before);
    await page.getByRole('button', { name: /^Remove the filter/ }).click();
    await match.getByRole('button', { name: 'Why?' }).click();
    await match.getByText('Its best chunk is match').waitFor();
    assert.deepEqual(trouble, []);
  });

  test('a document and a file name with markup and scripts are text, wherever they are shown', async () => {
    const { page, trouble } = await started.open('/documents');
    const attack = '<img src=x onerror="window.attacked=1"><script>window.attacked=1</script>';
    const name = 'evil <img src=x onerror=alert(1)>.html';
    const html = `<h1>Zebra policy ${attack.replaceAll('<', '&lt;')}</h1><p>Zebras get 12 carrots a day. ${attack.replaceAll('<', '&lt;')}</p><script>window.attacked=1</script>`;
    await dropFiles(page, [
      { name, bytes: Buffer.from(html) },
      {
        name: 'zebra.md',
        bytes: Buffer.from(`# Zebra ${attack}\n\nZebras in the zoo get 12 carrots a day ${attack}.\n`),
      },
    ]);
    // An upload may not have such a name; a folder on the disk may hold it.
    await page.locator('.upload .failures', { hasText: name }).waitFor();
    await page.locator('.documents tbody tr', { hasText: 'zebra.md' }).waitFor();
    mkdirSync(join(started.folder, 'zoo'));
    writeFileSync(join(started.folder, 'zoo', name), html);
    const hosted = await started.host.get('default', 'default');
    await hosted.write((knowledgeBase) => knowledgeBase.index(join(started.folder, 'zoo')));
    await page.reload();
    await page.locator('.documents tbody tr', { hasText: 'evil <img' }).getByRole('link').click();
    await page.locator('.boundary').first().waitFor();
    assert.match(await page.locator('.chunked').innerText(), /<img src=x onerror=/);
    await page.getByRole('button', { name: 'Open the original' }).click();
    await page.locator('.text-frame').getByText('12 carrots').first().waitFor();
    await page.goto(started.url);
    await page.getByLabel('Question').fill('How many carrots do zebras get a day?');
    await page.keyboard.press('Enter');
    await page.locator('.citation').first().click();
    await page.locator('.text-frame mark').first().waitFor();
    await page.goto(`${started.url}/search`);
    await page.getByRole('searchbox').fill('zebra carrots');
    await page.keyboard.press('Enter');
    await page.locator('.match').first().waitFor();
    assert.equal(await page.locator('main img, main script, .source img').count(), 0);
    assert.equal(await page.evaluate(() => (globalThis as { attacked?: number }).attacked), undefined);
    assert.deepEqual(trouble, []);

    // The original itself, opened as a page of its own, may not run anything either.
    const { documents } = (await (await fetch(`${started.url}/v1/knowledge-bases/default/documents`)).json()) as {
      documents: { id: string; source: string }[];
    };
    const { id } = documents.find(({ source }) => source === name)!;
    const answer = await fetch(`${started.url}/v1/knowledge-bases/default/documents/${id}/content`);
    assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/);
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment/);
  });

  test('the routes of the API can be read and tried: a search, and an answer as it comes', async () => {
    const { page, trouble } = await started.open('/status');
    await page.getByRole('link', { name: 'HTTP API' }).click();
    await page.locator('#search > summary').focus();
    await page.keyboard.press('Enter');
    const search = page.locator('#search');
    assert.match(
      await search.locator('> summary').innerText(),
      /^POST \/v1\/knowledge-bases\/\{knowledgeBase\}\/search/,
    );
    await search.getByText('Schema', { exact: true }).click();
    assert.match(await search.locator('form pre').innerText(), /"denseWeight"/);
    assert.equal(await search.getByLabel('knowledgeBase').inputValue(), 'default');
    assert.ok(JSON.parse(await search.getByLabel('Body').inputValue()).query.length > 0, 'filled in');
    await search.getByLabel('Body').fill('{"query": "parental leave in Japan", "limit": 2}');
    await search.getByRole('button', { name: 'Send' }).focus();
    await page.keyboard.press('Enter');
    await search.getByText('200 OK').waitFor();
    const { matches } = JSON.parse(await search.getByLabel('Answer', { exact: true }).innerText());
    assert.equal(matches.length, 2);
    await search.getByText('Headers', { exact: true }).click();
    assert.match(await search.locator('.output').innerText(), /content-type: application\/json/);
    await search.getByLabel('knowledgeBase').fill('no/such one');
    await search.getByRole('button', { name: 'Send' }).click();
    await search.getByText('404 Not Found').waitFor();
    assert.match(await search.getByLabel('Answer', { exact: true }).innerText(), /knowledge-base-not-found/);

    await page.locator('#ask > summary').click();
    const ask = page.locator('#ask');
    await ask.getByLabel('Body').fill('{"question": "How long is parental leave in Japan?"}');
    await ask.getByLabel('Kind of answer').selectOption('text/event-stream');
    await ask.getByRole('button', { name: 'Send' }).click();
    await ask.getByText('event: answer').waitFor();
    assert.match(await ask.getByLabel('Answer', { exact: true }).innerText(), /^event: search/);

    // What deletes asks once more.
    await page.locator('#deleteDocument > summary').click();
    const remove = page.locator('#deleteDocument');
    await remove.getByLabel('document').fill('nothing');
    await remove.getByRole('button', { name: 'Send' }).click();
    assert.equal(await remove.locator('.output').innerText(), '');
    await remove.getByRole('button', { name: 'Really delete?' }).click();
    await remove.getByText('404 Not Found').waitFor();
    // Answers of 404 are on the console of any page.
    assert.deepEqual(
      trouble.filter((each) => !/status of 404/.test(each)),
      [],
    );
  });

  test('the routes of the API in Japanese, in the dark, on a small screen, each with a form', async () => {
    const { page, trouble } = await started.open('/docs', {
      locale: 'ja-JP',
      colorScheme: 'dark',
      viewport: { width: 360, height: 740 },
    });
    await page.locator('.route').first().waitFor();
    for (const route of await page.locator('.route > summary').all()) await route.click();
    const { paths } = (await (await fetch(`${started.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    const routes = Object.values(paths).flatMap((methods) => Object.keys(methods));
    assert.equal(await page.locator('.route form').count(), routes.length);
    assert.equal(await page.getByRole('button', { name: '送信' }).count(), routes.length);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `${width} px wide`);
    const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    assert.equal(ground, 'rgb(21, 24, 27)');
    assert.doesNotMatch(await page.locator('body').ariaSnapshot(), /^\s*- (button|link|textbox|combobox)(:| ?\[|$)/m);
    assert.deepEqual(trouble, []);
  });

  test('a document is deleted after a second click, and the status counts what is there', async () => {
    const { page, trouble } = await started.open('/documents');
    await page.locator('.documents tbody tr', { hasText: 'zebra.md' }).getByRole('link').click();
    await page.getByRole('button', { name: 'Open the original' }).click();
    await page.locator('.text-frame').getByText('12 carrots').first().waitFor();
    await page.getByRole('link', { name: 'Documents' }).click();
    await page.getByRole('button', { name: 'Delete zebra.md' }).click();
    await page.getByRole('button', { name: 'Delete for good?' }).click();
    await page.getByText('zebra.md is deleted.').waitFor();
    assert.equal(await page.locator('.source').count(), 0, 'the panel of what is gone is closed');
    await page.getByRole('link', { name: 'Status' }).click();
    await page.locator('.cards').waitFor();
    assert.match(await page.locator('.cards').innerText(), /Failed 1/);
    assert.match(await page.locator('.failures').innerText(), /broken\.pdf/);
    assert.ok((await page.locator('.chart rect').count()) >= 2);
    assert.deepEqual(trouble, []);
  });

  test('a screen reader is told what everything is, and what happens', async () => {
    const { page } = await started.open('/');
    await page.getByLabel('Question').fill('How long is parental leave in Japan?');
    await page.keyboard.press('Enter');
    await page.locator('.citation').first().click();
    await page.locator('.pdf-text mark').first().waitFor();
    const tree = await page.locator('body').ariaSnapshot();
    for (const part of [
      /^- link "Skip to/m,
      /^- banner:/m,
      /navigation/,
      /link "Documents"/,
      /^- main:/m,
      /textbox "Question"/,
      /button "Ask"/,
      /button "Source 1: Leave policy 2025/,
      /complementary "Leave policy 2025/,
      /button "Close"/,
      /toolbar "PDF":/,
      /button "Next page"/,
    ]) {
      assert.match(tree, part);
    }
    assert.doesNotMatch(tree, /^\s*- (button|link|textbox|img)(:| ?\[|$)/m, 'everything has a name');
    assert.ok((await page.locator('[aria-live], [role=status], [role=alert]').count()) >= 2);
  });

  test('the first load is small, and PDF.js is not part of it', async () => {
    const { page } = await started.open('/');
    const loaded = await page.evaluate(() =>
      [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map((entry) => ({
        name: entry.name,
        bytes: (entry as PerformanceResourceTiming).encodedBodySize,
      })),
    );
    const own = loaded.filter(({ name }) => !name.includes('/v1/'));
    const bytes = own.reduce((sum, each) => sum + each.bytes, 0);
    assert.ok(own.length >= 3 && bytes > 20_000 && bytes <= 300_000, `${bytes} bytes`);
    assert.ok(!own.some(({ name }) => /pdf/.test(name)));
  });
});

test('while documents are indexed, the page shows how many are done', { skip: withoutBrowser }, async () => {
  const started = await startBrowser();
  try {
    const { page, trouble } = await started.open('/documents');
    await page.locator('.drop').waitFor();
    // All that is shown on the way: what a test looks for now and then it may miss.
    await page.evaluate(() => {
      const shown = { texts: [] as string[], values: [] as number[] };
      Object.assign(globalThis, { shown });
      new MutationObserver(() => {
        shown.texts.push(document.querySelector('.upload .facts')?.textContent ?? '');
        const bar = document.querySelector<HTMLProgressElement>('.upload progress');
        if (bar?.hasAttribute('value')) shown.values.push(bar.value / bar.max);
      }).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true });
    });
    const sentence = (file: number, n: number) => `Sentence ${n} of file ${file} says ${file * n} of the ${n}th thing.`;
    const files = Array.from({ length: 40 }, (_, file) => ({
      name: `notes-${file}.md`,
      bytes: Buffer.from(Array.from({ length: 1_000 }, (_, n) => sentence(file, n)).join('\n\n')),
    }));
    await dropFiles(page, files);
    await page.locator('.upload').getByText('Done').waitFor();
    assert.match(await page.locator('.upload').innerText(), /40 of 40 files/);
    const { texts, values } = await page.evaluate(
      () => (globalThis as unknown as { shown: { texts: string[]; values: number[] } }).shown,
    );
    const counts = texts.map((text) => Number(/^(\d+) of 40 files/.exec(text)?.[1] ?? 0));
    assert.ok(
      counts.some((count) => count > 0 && count < 40),
      `${new Set(counts).size} counts`,
    );
    assert.ok(
      values.some((value) => value > 0 && value < 1),
      `${values.length} values of the bar`,
    );
    assert.deepEqual(
      counts,
      [...counts].sort((one, other) => one - other),
      'it never goes back',
    );
    assert.deepEqual(trouble, []);
  } finally {
    await started?.close();
  }
});

test('words of an answer that no source supports are marked, and it is said so', { skip: withoutBrowser }, async () => {
  const started = await startBrowser({
    model: {
      id: 'inventive',
      description: 'cites a source, and adds something of its own',
      contextTokens: 8_000,
      async *generate() {
        yield { type: 'text', text: 'Parental leave in Japan is 52 weeks [1]. Employees also receive a company car.' };
        yield { type: 'stop', reason: 'end', usage: { inputTokens: 1, outputTokens: 1 } };
      },
    },
  });
  try {
    const { page, trouble } = await started.open('/documents');
    await dropFiles(page, [
      { name: 'leave.md', bytes: Buffer.from('# Leave\n\nParental leave in Japan is 52 weeks.\n') },
    ]);
    await page.locator('.documents tbody tr', { hasText: 'leave.md' }).waitFor();
    await page.locator('.upload').getByText('Done').waitFor();
    await page.getByRole('link', { name: 'Ask' }).click();
    await page.getByLabel('Question').fill('How long is parental leave in Japan?');
    await page.keyboard.press('Enter');
    const marked = page.locator('.answer-text mark.unsupported');
    await marked.first().waitFor();
    const said = (await marked.allInnerTexts()).join(' ');
    assert.match(said, /company car/);
    assert.doesNotMatch(said, /52 weeks/);
    // For who does not see colours, in words; and once for all in a legend.
    assert.ok(await page.locator('.answer-text mark.unsupported .hidden').first().textContent());
    assert.deepEqual(trouble, []);
  } finally {
    await started.close();
  }
});

test('a service that needs a key asks for it, and keeps it in the tab', { skip: withoutBrowser }, async () => {
  let started: StartedBrowser | undefined;
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-keys-'));
  try {
    const keys = openKeyRing(join(folder, 'keys.json'));
    const { secret } = keys.create({ tenant: 'default', scopes: ['read', 'write'] }, Date.now());
    started = await startBrowser({ keys });
    const { page } = await started.open('/documents');
    await page.getByLabel('Key').fill('wrong');
    await page.getByRole('button', { name: 'Use this key' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Key').fill(secret);
    await page.getByRole('button', { name: 'Use this key' }).click();
    await dropFiles(page, [{ name: 'note.txt', bytes: Buffer.from('A note about keys.') }]);
    await page.locator('.documents tbody tr', { hasText: 'note.txt' }).waitFor();
    assert.equal(await page.evaluate((kept) => Object.values(localStorage).includes(kept), secret), false);
    assert.equal(await page.evaluate((kept) => Object.values(sessionStorage).includes(kept), secret), true);
    await page.reload();
    await page.locator('.documents tbody tr', { hasText: 'note.txt' }).waitFor();
    await page.goto(`${started.url}/docs`);
    await page.locator('#listKnowledgeBases > summary').click();
    await page.locator('#listKnowledgeBases').getByRole('button', { name: 'Send' }).click();
    await page.locator('#listKnowledgeBases').getByText('200 OK').waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Forget the key' }).click();
    await page.getByRole('heading', { name: 'This service needs a key' }).waitFor();
    assert.equal(await page.locator('.documents').count(), 0);
  } finally {
    await started?.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
