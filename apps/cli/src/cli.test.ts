import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/aquifer.js', import.meta.url));
const handbook = fileURLToPath(new URL('../../../examples/handbook', import.meta.url));

interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function start(cwd: string, args: readonly string[], environment: Record<string, string> = {}): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(AQUIFER_|NO_COLOR$|FORCE_COLOR$)/.test(name));
  return spawn(process.execPath, [bin, ...args], { cwd, env: { ...Object.fromEntries(inherited), ...environment } });
}

function ended(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve) => {
    let [out, err] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    child.on('close', (status) => resolve({ status, out, err }));
  });
}

describe('aquifer', () => {
  let folder: string;
  const run = (...args: string[]) => ended(start(folder, args));
  const json = async (...args: string[]) => {
    const outcome = await run(...args, '--json');
    assert.equal(outcome.status, 0, outcome.err);
    // `index` prints a line a document before its summary.
    return JSON.parse(outcome.out.trimEnd().split('\n').at(-1) ?? '');
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-cli-'));
    cpSync(handbook, join(folder, 'handbook'), { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  describe('index', () => {
    it('indexes a folder, and with --json prints a line a document and the summary last', async () => {
      const { status, out, err } = await run('index', 'handbook', '--json');
      assert.equal(status, 0, err);
      const lines = out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const summary = lines.pop();
      assert.equal(summary.type, 'summary');
      assert.match(summary.knowledgeBase.id, /^[0-9A-Z]{10}$/);
      assert.deepEqual([summary.failed, summary.unchanged, summary.new], [0, 0, lines.length]);
      assert.ok(
        lines.every((line) => line.type === 'document' && line.status === 'indexed' && line.chunks > 0),
        out,
      );
      assert.ok(lines.some((line) => line.source === 'people/leave-policy-2025.pdf'));
    });

    it('reads nothing again when nothing has changed', async () => {
      const summary = await json('index', 'handbook');
      assert.deepEqual([summary.new, summary.modified, summary.embedded, summary.deleted], [0, 0, 0, 0]);
      assert.ok(summary.unchanged >= 20);
    });

    it('ends with status 3 and a reason when a document fails, and keeps the rest', async () => {
      const files = join(folder, 'mixed');
      mkdirSync(files);
      writeFileSync(join(files, 'good.md'), '# Good\n\nA sentence that can be found.\n');
      writeFileSync(join(files, 'broken.pdf'), '%PDF-1.7\nthis is not a PDF');
      const outcome = await run('index', 'mixed', '--kb', 'mixed.kb');
      assert.equal(outcome.status, 3, outcome.err);
      assert.match(outcome.out, /✖ broken\.pdf {3}\S+/);
      assert.match(outcome.out, /1 indexed, 1 failed, 0 deleted/);
      const found = await json('search', 'sentence', '--kb', 'mixed.kb');
      assert.equal(found.matches[0].source, 'good.md');
      const { failures } = await json('status', '--kb', 'mixed.kb');
      assert.deepEqual(
        failures.map((failure: { source: string }) => failure.source),
        ['broken.pdf'],
      );
    });

    it('lists in the status what could not be listed, as long as the last run could not', async () => {
      const files = join(folder, 'links');
      mkdirSync(files);
      writeFileSync(join(files, 'broken.pdf'), '%PDF-1.7\nthis is not a PDF');
      symlinkSync('gone.md', join(files, 'leads-nowhere.md'));
      symlinkSync('loop.md', join(files, 'loop.md'));
      assert.match((await run('index', 'links', '--kb', 'links.kb')).out, /3 failed/);
      const shown = await run('status', '--kb', 'links.kb');
      assert.match(shown.out, /last run .* 3 failed, in/);
      assert.match(shown.out, /\n {2}3 failed; /);
      assert.match(shown.out, /✖ leads-nowhere\.md {3}This symbolic link cannot be found/);
      assert.match(shown.out, /✖ loop\.md {3}This symbolic link is part of a loop/);
      rmSync(join(files, 'leads-nowhere.md'));
      await run('index', 'links', '--kb', 'links.kb');
      const { failures, lastRun } = await json('status', '--kb', 'links.kb');
      assert.deepEqual(
        failures.map((failure: { source: string }) => failure.source),
        ['broken.pdf', 'loop.md'],
      );
      assert.deepEqual([lastRun.failed, lastRun.unlisted], [2, undefined]);
    });

    it('says of a file that it was asked for and no reader takes what it is and how to make it readable', async () => {
      for (const name of ['plan.pages', 'scan.png', 'photo.raw']) writeFileSync(join(folder, name), 'PK');
      const { out } = await run('index', 'plan.pages', 'scan.png', 'photo.raw', '--kb', 'kinds.kb');
      assert.match(
        out,
        /– plan\.pages {3}plan\.pages is a document of Apple Pages.* Export it as \.docx or PDF from Pages\./,
      );
      assert.match(out, /– scan\.png {3}scan\.png is a picture: its text can be read with --ocr\./);
      assert.match(out, /– photo\.raw {3}No reader takes files of this kind\./);
    });

    it('takes and leaves out by repeated globs, remembers them, and forgets them when told to', async () => {
      const files = join(folder, 'globs');
      mkdirSync(join(files, 'drafts'), { recursive: true });
      for (const name of ['a.md', 'b.md', 'c.txt', 'drafts/d.md'])
        writeFileSync(join(files, name), `# ${name}\n\nText.\n`);
      writeFileSync(join(files, '.aquiferignore'), 'c.txt\n');
      const kb = ['--kb', 'globs.kb'];
      const planned = await json('index', 'globs', ...kb, '--exclude', 'drafts', '--exclude', 'a.*', '--dry-run');
      assert.deepEqual([planned.dryRun, planned.new, planned.excluded, planned.tokens > 0], [true, 1, 3, true]);
      assert.equal((await run('status', ...kb)).status, 1, 'there is no index yet');
      assert.equal((await json('index', 'globs', ...kb, '--exclude', 'drafts', '--exclude', 'a.*')).new, 1);
      assert.equal((await json('index', 'globs', ...kb)).unchanged, 1);
      assert.equal((await json('index', 'globs', ...kb, '--no-exclude')).new, 2);
      const refused = await run('index', 'globs', ...kb, '--include', 'drafts', '--dry-run', '--json');
      assert.equal(refused.status, 1);
      assert.match(JSON.parse(refused.out.trimEnd().split('\n').at(-1) ?? '').deletionsRefused, /left out now/);
      assert.equal((await run('index', 'globs', ...kb, '--include', 'drafts')).status, 1);
      const shown = await run('index', 'globs', ...kb, '--include', '*.md', '--dry-run');
      assert.equal(shown.status, 0, shown.err);
      assert.match(shown.out, /would be: 0 new, 0 modified, 3 unchanged.*to embed.*tokens/);
      for (const wrong of [
        ['--include', '!a'],
        ['--exclude', '../b'],
        ['--watch', '--dry-run'],
      ]) {
        assert.equal((await run('index', 'globs', ...kb, ...wrong)).status, 2, wrong.join(' '));
      }
      writeFileSync(join(folder, 'globs.json'), '{"exclude": ["b.*"], "kb": "globs.kb"}');
      assert.equal((await json('index', 'globs', '--config', 'globs.json')).deleted, 1);
    });

    it('keeps the index up to date until it is interrupted, and ends cleanly', async () => {
      const files = join(folder, 'watched');
      mkdirSync(files);
      writeFileSync(join(files, 'a.md'), '# A\n\nFirst.\n');
      const child = start(folder, ['index', 'watched', '--watch', '--json', '--kb', 'watched.kb']);
      const outcome = ended(child);
      const lines: { type: string; source?: string; status?: string }[] = [];
      const until = (type: string, number: number) =>
        new Promise<void>((resolve, reject) => {
          const look = () => {
            if (lines.filter((line) => line.type === type).length >= number) resolve();
          };
          child.stdout?.on('data', () => setImmediate(look));
          child.once('exit', () => reject(new Error('the watch has ended')));
          look();
        });
      let rest = '';
      child.stdout?.on('data', (text) => {
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        lines.push(...parts.map((line) => JSON.parse(line)));
      });
      await until('watching', 1);
      writeFileSync(join(files, 'b.md'), '# B\n\nSecond.\n');
      await until('summary', 2);
      assert.equal((await json('search', 'second', '--kb', 'watched.kb')).matches[0].source, 'b.md');
      await until('watching', 2);
      child.kill('SIGINT');
      const { status, err } = await outcome;
      assert.equal(status, 0, err);
      assert.deepEqual(
        lines.filter(({ type }) => type === 'document').map(({ source, status: state }) => [source, state]),
        [
          ['a.md', 'indexed'],
          ['b.md', 'indexed'],
        ],
      );
      assert.equal((await json('index', 'watched', '--kb', 'watched.kb')).unchanged, 2);
    });

    it('prints no control character of a file name, in no command', async (context) => {
      if (process.platform === 'win32') return context.skip('this system has no such names');
      const files = join(folder, 'names');
      mkdirSync(files);
      writeFileSync(join(files, 'a\u001b[31m\nb\u202e.md'), 'Text to find.');
      writeFileSync(join(files, '-bad\u0007\u001b]0;x.pdf'), '%PDF-1.7\nno');
      const outcomes = [
        await run('index', 'names', '--kb', 'names.kb'),
        await run('status', '--kb', 'names.kb'),
        await run('documents', '--kb', 'names.kb'),
        await run('search', 'find', '--kb', 'names.kb'),
        await run('ask', 'Which text is to be found?', '--kb', 'names.kb'),
        await run('index', 'names/\u001b[2J', '--kb', 'names.kb'),
      ];
      for (const { out, err } of outcomes) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
        assert.doesNotMatch(out + err, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      }
      assert.match(outcomes[0]?.out ?? '', /✖ -bad\\x07\\x1b\]0;x\.pdf/);
      assert.match(outcomes[3]?.out ?? '', /a\\x1b\[31m\\nb\\u202e\.md/);
    });

    it('accepts an empty folder', async () => {
      mkdirSync(join(folder, 'empty'));
      const summary = await json('index', 'empty', '--kb', 'empty.kb');
      assert.deepEqual([summary.scanned, summary.chunks], [0, 0]);
      assert.deepEqual((await json('search', 'anything', '--kb', 'empty.kb')).matches, []);
      assert.match((await run('index', 'empty', '--kb', 'empty.kb')).out, /next: npx aquifer index </);
    });

    it('names a folder that does not exist', async () => {
      const { status, err } = await run('index', 'no-such-folder');
      assert.equal(status, 1);
      assert.match(err, /no file or folder no-such-folder/);
    });

    it('refuses another embedder with the command that re-embeds, and that command works', async () => {
      await json('index', 'handbook/it', '--kb', 'embedder.kb');
      const refused = await run('index', 'handbook/it', '--kb', 'embedder.kb', '--embedder', 'builtin:256');
      assert.equal(refused.status, 1);
      assert.match(refused.err, /--embedder builtin:256 --re-embed/);
      const changed = await run(
        'index',
        'handbook/it',
        '--kb',
        'embedder.kb',
        '--embedder',
        'builtin:256',
        '--re-embed',
      );
      assert.equal(changed.status, 0, changed.err);
      const status = await json('status', '--kb', 'embedder.kb');
      assert.deepEqual([status.embedder.name, status.embedder.dimensions], ['builtin:256', 256]);
      assert.ok((await json('search', 'password', '--kb', 'embedder.kb', '--mode', 'dense')).matches.length > 0);
    });

    it('keeps what was committed when interrupted, and goes on from there', async () => {
      const files = join(folder, 'many');
      mkdirSync(files);
      for (let n = 0; n < 3000; n++)
        writeFileSync(join(files, `${n}.md`), `# Note ${n}\n\nThe secret number is ${n * 7}.\n`);
      const child = start(folder, ['index', 'many', '--kb', 'many.kb', '--json']);
      const outcome = ended(child);
      child.stdout?.once('data', () => child.kill('SIGINT'));
      const { status, err } = await outcome;
      assert.equal(status, 130, err);
      const before = (await json('status', '--kb', 'many.kb')).documents.indexed ?? 0;
      const summary = await json('index', 'many', '--kb', 'many.kb');
      assert.equal(summary.new, 3000 - before);
      assert.equal((await json('status', '--kb', 'many.kb')).documents.indexed, 3000);
    });
  });

  it('lists models, for people and for programs', async () => {
    const { status, out, err } = await run('models');
    assert.equal(status, 0, err);
    assert.match(out, /\n {2}amazon\.titan-embed-text-v2:0 +1024 512 256 +8k +1 +0\.02\n/);
    const { models } = await json('models');
    const ids = models.map(({ id }: { readonly id: string }) => id);
    for (const id of ['builtin', 'amazon.titan-embed-text-v2:0', 'cohere.rerank-v3-5:0']) assert.ok(ids.includes(id));
  });

  describe('ask', () => {
    it('goes on with a session, in a command after another', async () => {
      const first = await json('ask', 'How long is parental leave in Japan?', '--session', 'leave');
      assert.equal(first.standaloneQuestion, undefined);
      const second = await json('ask', 'And in Germany?', '--session', 'leave');
      assert.equal(second.standaloneQuestion, 'How long is parental leave in Germany?');
      const shown = await run('ask', 'And in Japan?', '--session', 'leave');
      assert.match(shown.out, /asked as: How long is parental leave in Japan\?/);
      assert.equal((await json('ask', 'And in Germany?', '--session', 'other')).standaloneQuestion, undefined);
      const refused = await run('ask', 'And in Germany?', '--session', '../leave');
      assert.deepEqual([refused.status, /--session is a name/.test(refused.err)], [2, true], refused.err);
    });

    it('takes a prompt of a file, and says what it lacks', async () => {
      writeFileSync(join(folder, 'prompt.txt'), 'Be brief.\n$search_results$\n$query$');
      const answer = await json(
        'ask',
        'How long is parental leave in Japan?',
        '--prompt-template',
        'prompt.txt',
        '--show-prompt',
      );
      assert.match(answer.prompt.user, /^Be brief\.\n<passages>/);
      writeFileSync(join(folder, 'prompt.txt'), 'Answer $query$');
      const lacking = await run('ask', 'How long is it?', '--prompt-template', 'prompt.txt');
      assert.deepEqual([lacking.status, /\$search_results\$/.test(lacking.err)], [2, true], lacking.err);
      const missing = await run('ask', 'How long is it?', '--prompt-template', 'nowhere.txt');
      assert.match(missing.err, /cannot read nowhere\.txt/);
    });

    it('cites exact slices of the stored text', async () => {
      const answer = await json('ask', 'How long is parental leave in Japan?');
      assert.match(answer.answer, /52 weeks/);
      assert.equal(answer.abstained, false);
      assert.ok(answer.citations.length > 0);
      for (const citation of answer.citations) {
        assert.ok(citation.references.length > 0);
        for (const reference of citation.references) {
          const { content } = await json('documents', reference.documentId);
          assert.equal(content.text.slice(reference.start, reference.end), reference.quote);
          assert.equal(reference.verified, true);
        }
      }
    });

    it('answers Japanese questions from Japanese documents', async () => {
      const answer = await json('ask', '育児休業は何週間取得できますか？');
      assert.match(answer.answer, /週/);
      assert.ok(answer.citations[0].references[0].source.startsWith('ja/'));
    });

    it('says so when the documents do not answer', async () => {
      const answer = await json('ask', 'Who painted the ceiling of the Sistine Chapel?');
      assert.deepEqual([answer.abstained, answer.citations], [true, []]);
    });

    it('shows numbered sources to people, without escape codes when piped', async () => {
      const { status, out } = await run('ask', 'How long is parental leave in Japan?');
      assert.equal(status, 0);
      assert.match(out, /52 weeks.*? \[1\]/s);
      assert.match(out, /\n {2}1 {2}people\/\S+ · page \d/);
      assert.match(out, /built-in answerer \(quotes, does not reason\) · \d+ passages considered · \d+ ms/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for
      assert.doesNotMatch(out, /\u001b/);
    });

    it('shows the exact prompt on request', async () => {
      const { prompt } = await json('ask', 'How long is parental leave in Japan?', '--show-prompt');
      assert.match(prompt.user, /How long is parental leave in Japan\?/);
      assert.ok(prompt.system.length > 0);
    });
  });

  describe('search', () => {
    it('prints ranked passages with their places', async () => {
      const { query, plan, matches, ms } = await json('search', 'parental leave', '--limit', '3');
      assert.equal(query, 'parental leave');
      assert.deepEqual(plan, { dense: 'exact', keyword: 'on' });
      assert.deepEqual(
        matches.map((match: { rank: number }) => match.rank),
        [1, 2, 3],
      );
      assert.ok(matches[0].text.length > 0 && matches[0].end - matches[0].start === matches[0].text.length);
      assert.equal(typeof ms.total, 'number');
    });

    it('filters on metadata', async () => {
      const filter = JSON.stringify({ equals: { key: 'country', value: 'JP' } });
      const { matches } = await json('search', '休業', '--filter', filter);
      assert.ok(matches.length > 0);
      for (const match of matches) assert.equal(match.metadata.country, 'JP');
    });

    for (const [name, args] of Object.entries({
      'an unknown operator': ['leave', '--filter', '{"like":{"key":"country","value":"J"}}'],
      'a filter that is not JSON': ['leave', '--filter', '{country: JP}'],
      'a limit of 0': ['leave', '--limit', '0'],
      'a negative limit': ['leave', '--limit=-1'],
      'a limit of a billion': ['leave', '--limit', '1000000000'],
      'an empty query': [''],
      'a query of 20,001 characters': ['x'.repeat(20_001)],
      'an unknown option': ['leave', '--fast'],
      'an unknown mode': ['leave', '--mode', 'both'],
      'no query': [],
    })) {
      it(`refuses ${name} as wrong usage`, async () => {
        const { status, out, err } = await run('search', ...args);
        assert.equal(status, 2, err);
        assert.equal(out, '');
        assert.ok(err.length > 0);
      });
    }

    it('finds something or nothing, but does not fail, for punctuation alone', async () => {
      assert.ok(Array.isArray((await json('search', '?!…、。')).matches));
    });

    it('says what to do when there is no index', async () => {
      const { status, err } = await run('search', 'leave', '--kb', 'absent.kb');
      assert.equal(status, 1);
      assert.match(err, /aquifer index <path>/);
    });
  });

  describe('documents, delete, status, config', () => {
    it('lists documents, shows one with its chunks, deletes it', async () => {
      await json('index', 'handbook/it', '--kb', 'small.kb');
      const { documents } = await json('documents', '--kb', 'small.kb');
      assert.ok(documents.length >= 3);
      const one = await json('documents', documents[0].id, '--kb', 'small.kb');
      assert.equal(one.chunks.length, documents[0].chunkCount);
      assert.equal((await run('delete', documents[0].id, 'no-such-id', '--kb', 'small.kb')).status, 1);
      assert.deepEqual(await json('delete', documents[0].id, '--kb', 'small.kb'), { deleted: 1 });
      assert.equal((await json('documents', '--kb', 'small.kb')).documents.length, documents.length - 1);
      const { status, err } = await run('documents', documents[0].id, '--kb', 'small.kb');
      assert.equal(status, 1);
      assert.match(err, /no document/);
    });

    it('shows status, documents and one document to people', async () => {
      const { documents } = await json('documents');
      for (const args of [['status'], ['documents'], ['documents', documents[0].id]]) {
        const { status, out } = await run(...args);
        assert.equal(status, 0);
        assert.ok(out.split('\n').length > 5, out);
      }
    });

    it('prints every setting with where it came from, and no secret', async () => {
      const environment = { AQUIFER_ENCRYPTION_KEY: 'hunter2', AQUIFER_LIMIT: '7' };
      const { out, status } = await ended(start(folder, ['config', '--kb', 'other', '--json'], environment));
      assert.equal(status, 0);
      const config = JSON.parse(out);
      assert.deepEqual(config.kb, { value: 'other', from: '--kb' });
      assert.deepEqual(config.limit, { value: 7, from: 'AQUIFER_LIMIT' });
      assert.deepEqual(config.mode, { value: 'hybrid', from: 'default' });
      assert.doesNotMatch(out, /hunter2/);
    });

    it('makes no index where the encryption key is there but empty', async () => {
      const { status, err } = await ended(
        start(folder, ['index', 'handbook', '--kb', 'plain.kb'], { AQUIFER_ENCRYPTION_KEY: '' }),
      );
      assert.equal(status, 2, err);
      assert.match(err, /AQUIFER_ENCRYPTION_KEY is empty/);
      assert.ok(!existsSync(join(folder, 'plain.kb')));
    });

    it('refuses unknown commands', async () => {
      const { status, err } = await run('serch', 'leave');
      assert.equal(status, 2);
      assert.match(err, /search/);
    });
  });
});
