import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planFolderRuns } from './folder-roots.js';

const folder = (path: string) => ({ path, folder: path });
const file = (path: string) => ({ path, folder: path.slice(0, path.lastIndexOf('/')) });

describe('planFolderRuns', () => {
  it('makes a new folder its own root', () => {
    assert.deepEqual(planFolderRuns([], [folder('/home/handbook')], '/'), [
      { root: '/home/handbook', paths: ['/home/handbook'], exclude: [] },
    ]);
  });

  it('makes the folder of a new file the root, and covers the file alone', () => {
    assert.deepEqual(planFolderRuns([], [file('/home/notes/a.md')], '/'), [
      { root: '/home/notes', paths: ['/home/notes/a.md'], exclude: [] },
    ]);
  });

  it('treats a path inside a known root as a part of that root', () => {
    assert.deepEqual(planFolderRuns(['/home/handbook'], [folder('/home/handbook/people')], '/'), [
      { root: '/home/handbook', paths: ['/home/handbook/people'], exclude: [] },
    ]);
  });

  it('does not take a folder for another whose name it begins with', () => {
    const runs = planFolderRuns(['/home/hand'], [folder('/home/handbook')], '/');
    assert.deepEqual(runs, [{ root: '/home/handbook', paths: ['/home/handbook'], exclude: [] }]);
  });

  it('leaves the documents of a known root inside a new one to the known root, and runs both', () => {
    assert.deepEqual(planFolderRuns(['/home/handbook'], [folder('/home')], '/'), [
      { root: '/home', paths: ['/home'], exclude: ['/home/handbook'] },
      { root: '/home/handbook', paths: ['/home/handbook'], exclude: [] },
    ]);
  });

  it('chooses the innermost of nested roots', () => {
    const runs = planFolderRuns(['/home', '/home/handbook'], [file('/home/handbook/a.md')], '/');
    assert.deepEqual(runs, [{ root: '/home/handbook', paths: ['/home/handbook/a.md'], exclude: [] }]);
  });

  it('covers a path once when it is asked for twice or lies in another that is asked for', () => {
    const runs = planFolderRuns([], [folder('/home/a/b'), folder('/home/a'), folder('/home/a')], '/');
    assert.deepEqual(runs, [{ root: '/home/a', paths: ['/home/a'], exclude: [] }]);
  });

  it('takes prefixes of buckets for folders', () => {
    const runs = planFolderRuns(['s3://acme/hand'], [folder('s3://acme/handbook'), file('s3://acme/hand/a.md')], '/');
    assert.deepEqual(runs, [
      { root: 's3://acme/handbook', paths: ['s3://acme/handbook'], exclude: [] },
      { root: 's3://acme/hand', paths: ['s3://acme/hand/a.md'], exclude: [] },
    ]);
  });
});
