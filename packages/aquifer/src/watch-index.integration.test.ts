import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAquiferError } from '@aquifer/contracts';
import type { IngestionEvent } from '@aquifer/ingestion';
import type { IndexSummary } from './knowledge-base.js';
import { openKnowledgeBase } from './open-knowledge-base.js';
import { type WatchIndexOptions, watchIndex } from './watch-index.js';

let folder: string;
let files: string;
let location: string;
let stop: AbortController;
/** The watches of a test, until they have ended. */
let ends: Promise<void>[];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'aquifer-watch-')));
  [files, location] = [join(folder, 'files'), join(folder, 'index')];
  stop = new AbortController();
  ends = [];
  for (const name of ['a.md', 'b.md', 'c.md', 'd.md']) write(name);
});
afterEach(async () => {
  stop.abort();
  // The round that looks at newly watched folders may be under way, and makes files in the folder that is removed here.
  await Promise.allSettled(ends);
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text = `# ${path}\n\nThe text of ${path}.\n`): void {
  mkdirSync(dirname(join(files, path)), { recursive: true });
  writeFileSync(join(files, path), text);
}

/** For what will never come: a limit of the test runner would leave the watch, and so this process, alive. */
const longestWaitMs = 600_000;

/** A watch, and what has been heard of it. */
function start(options: WatchIndexOptions = {}, paths = files) {
  const rounds: IndexSummary[] = [];
  const events: IngestionEvent[] = [];
  const failures: unknown[] = [];
  let isWaiting = false;
  const ended = watchIndex({ location }, paths, {
    signal: stop.signal,
    quietMs: 40,
    checkEveryMs: 3_600_000,
    onRound: (summary) => {
      isWaiting = false;
      rounds.push(summary);
    },
    onEvent: (event) => {
      isWaiting = false;
      events.push(event);
    },
    onFailure: (error) => {
      isWaiting = false;
      failures.push(error);
    },
    onWatching: () => {
      isWaiting = true;
    },
    ...options,
  });
  ends.push(ended);
  let failure: unknown;
  ended.catch((error) => {
    failure = error;
  });
  const until = async (holds: () => boolean | Promise<boolean>) => {
    const startedAt = performance.now();
    while (!(await holds())) {
      if (failure !== undefined) throw failure;
      assert.ok(performance.now() - startedAt < longestWaitMs, 'what is waited for never came');
      await sleep(20);
    }
  };
  return {
    rounds,
    events,
    failures,
    ended,
    until,
    /** Waits for a document to be in a state, and for the round to be over. */
    saw: (source: string, status: IngestionEvent['status']) =>
      until(() => isWaiting && events.some((event) => event.source === source && event.status === status)),
    idle: () => until(() => isWaiting && rounds.length >= 2),
  };
}

async function sources(): Promise<string[]> {
  const knowledgeBase = await openKnowledgeBase({ location, mode: 'read' });
  try {
    return (await knowledgeBase.documents()).map(({ source }) => source).sort();
  } finally {
    await knowledgeBase.close();
  }
}

describe('watchIndex', () => {
  it('takes up new, changed, renamed and deleted files, in new folders too, until it is stopped', async () => {
    const watch = start();
    await watch.saw('d.md', 'indexed');
    write('new.md');
    await watch.saw('new.md', 'indexed');
    // As many editors save: write beside it, rename over it.
    watch.events.length = 0;
    writeFileSync(join(files, 'a.md~'), '# a\n\nSaved by renaming.\n');
    renameSync(join(files, 'a.md~'), join(files, 'a.md'));
    await watch.saw('a.md', 'indexed');
    watch.events.length = 0;
    writeFileSync(join(files, 'a.md.tmp'), '# a\n\nSaved by renaming once more.\n');
    renameSync(join(files, 'a.md.tmp'), join(files, 'a.md'));
    await watch.saw('a.md', 'indexed');
    write('deep/er/e.md');
    await watch.saw('deep/er/e.md', 'indexed');
    appendFileSync(join(files, 'deep/er/e.md'), '\nMore.\n');
    watch.events.length = 0;
    await watch.saw('deep/er/e.md', 'indexed');
    renameSync(join(files, 'deep'), join(files, 'moved'));
    await watch.saw('moved/er/e.md', 'moved');
    rmSync(join(files, 'b.md'));
    await watch.saw('b.md', 'deleted');
    stop.abort();
    await watch.ended;
    assert.deepEqual(await sources(), ['a.md', 'c.md', 'd.md', 'moved/er/e.md', 'new.md']);
    assert.deepEqual(watch.failures, []);
  });

  it('watches a single file, and says nothing of its neighbours', async () => {
    const watch = start({}, join(files, 'a.md'));
    await watch.idle();
    write('b.md', 'changed');
    writeFileSync(join(files, 'a.md~'), '# a\n\nSaved by renaming.\n');
    watch.events.length = 0;
    renameSync(join(files, 'a.md~'), join(files, 'a.md'));
    await watch.saw('a.md', 'indexed');
    assert.deepEqual(await sources(), ['a.md']);
  });

  it('makes few rounds of many changes', async () => {
    const watch = start({ quietMs: 200 });
    await watch.idle();
    const before = watch.rounds.length;
    for (let n = 0; n < 200; n += 1) write(`many/${n}.md`);
    await watch.until(() => watch.events.filter(({ source }) => source.startsWith('many/')).length === 200);
    await watch.saw('many/199.md', 'indexed');
    assert.ok(watch.rounds.length - before < 20, `${watch.rounds.length - before} rounds`);
  });

  it('lets others search all the time, and write between the rounds', async () => {
    const watch = start();
    await watch.idle();
    const other = await openKnowledgeBase({ location });
    try {
      write('while-locked.md');
      await watch.until(() => watch.failures.length > 0);
      assert.ok(isAquiferError(watch.failures[0], 'index-locked'));
      assert.equal((await other.search('text')).matches.length, 4);
    } finally {
      await other.close();
    }
    await watch.saw('while-locked.md', 'indexed');
  });

  it('goes on when a round fails, and when its folder comes back', async () => {
    const watch = start();
    await watch.idle();
    renameSync(files, `${files}-away`);
    await watch.until(() => watch.failures.length > 0);
    assert.ok(isAquiferError(watch.failures[0], 'source-not-found'));
    renameSync(`${files}-away`, files);
    write('back.md');
    await watch.saw('back.md', 'indexed');
    write('watched-again.md');
    await watch.saw('watched-again.md', 'indexed');
    assert.equal((await sources()).length, 6, 'nothing was deleted meanwhile');
  });

  it('watches the folder that has taken the place of another', async () => {
    write('sub/e.md');
    const watch = start();
    await watch.idle();
    mkdirSync(join(folder, 'next'));
    writeFileSync(join(folder, 'next/f.md'), '# f\n\nAnother folder.\n');
    renameSync(join(files, 'sub'), join(folder, 'old'));
    renameSync(join(folder, 'next'), join(files, 'sub'));
    await watch.saw('sub/f.md', 'indexed');
    write('sub/g.md');
    await watch.saw('sub/g.md', 'indexed');
  });

  it('finds what the system does not tell of by looking at everything now and then', async () => {
    // What a link leads to in a hidden folder is a document, but nobody watches that folder.
    write('.data/linked.md');
    symlinkSync(join('.data', 'linked.md'), join(files, 'linked.md'));
    const watch = start({ checkEveryMs: 300, checkShare: 0.5 });
    await watch.saw('linked.md', 'indexed');
    await watch.idle();
    watch.events.length = 0;
    appendFileSync(join(files, '.data/linked.md'), '\nMore text.\n');
    await watch.saw('linked.md', 'indexed');
  });

  it('does not read a file that failed again because another was saved', async () => {
    write('broken.pdf', '%PDF-1.7\nno');
    const watch = start();
    await watch.saw('broken.pdf', 'failed');
    write('e.md');
    await watch.saw('e.md', 'indexed');
    assert.equal(watch.events.filter(({ source }) => source === 'broken.pdf').length, 1);
    assert.equal(watch.rounds.at(-1)?.failed, 1, 'it still counts');
    write('broken.pdf', '%PDF-1.7\nstill no');
    await watch.until(() => watch.events.filter(({ source }) => source === 'broken.pdf').length === 2);
  });

  it('rejects with aborted in the middle of a round, and keeps what was committed', async () => {
    for (let n = 0; n < 300; n += 1) write(`many/${n}.md`);
    const watch = start({
      onEvent: () => stop.abort(),
    });
    await assert.rejects(watch.ended, (error) => isAquiferError(error, 'aborted'));
    const committed = await sources();
    assert.ok(committed.length > 0 && committed.length < 304, `${committed.length} committed`);
    stop = new AbortController();
    const again = start();
    await again.until(() => again.rounds.length > 0);
    assert.equal((await sources()).length, 304);
  });

  it('fails at once when its first round cannot succeed', async () => {
    await assert.rejects(watchIndex({ location }, join(folder, 'none'), { signal: stop.signal }), (error) =>
      isAquiferError(error, 'source-not-found'),
    );
  });
});
