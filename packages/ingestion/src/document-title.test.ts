import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { documentTitle, readableFileName } from './document-title.js';

describe('document title', () => {
  it('reads a file name as people say it', () => {
    assert.equal(readableFileName('people/leave-policy-2025.pdf'), 'leave policy 2025');
    assert.equal(readableFileName('Meeting_Notes--v1.2.md'), 'Meeting Notes v1.2');
    assert.equal(readableFileName('休暇規程.docx'), '休暇規程');
    assert.equal(readableFileName('README'), 'README');
    assert.equal(readableFileName('--.md'), '--.md');
  });

  it("prefers the source's title, then the file's own, then its name", () => {
    assert.equal(documentTitle({ path: 'a-b.md', title: 'Given' }, 'Extracted'), 'Given');
    assert.equal(documentTitle({ path: 'a-b.md', title: ' ' }, 'Extracted\n title'), 'Extracted title');
    assert.equal(documentTitle({ path: '4711', title: '' }, undefined), '');
    assert.equal(documentTitle({ path: 'a-b.md' }, ''), 'a b');
  });

  it('cuts a title that is a text, not inside a character', () => {
    assert.equal(documentTitle({ path: 'a.md' }, '😀'.repeat(1_000)), '😀'.repeat(200));
  });
});
