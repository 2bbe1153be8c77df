import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { displayWidth } from '../terminal/display-width.js';
import type { Terminal } from '../terminal/terminal.js';
import { placeLine } from './passage-lines.js';

const terminal = (columns: number): Terminal => ({
  columns,
  isInteractive: true,
  style: (_style, text) => text,
  write: () => {},
  line: () => {},
});
const place = {
  source: 'people/leave.pdf',
  pageStart: 3,
  pageEnd: 4,
  headings: ['Leave policy', '育児休業', 'Norway'],
};

describe('the place of a passage', () => {
  it('is file, pages and headings, cut where the line ends', () => {
    assert.equal(placeLine(terminal(80), place, 12), 'people/leave.pdf · pages 3–4 · Leave policy › 育児休業 › Norway');
    const cut = placeLine(terminal(60), place, 12);
    assert.match(cut, /^people\/leave\.pdf · pages 3–4 · Leave policy.*…$/);
    assert.ok(displayWidth(cut) <= 48, cut);
    assert.equal(placeLine(terminal(48), place, 12), 'people/leave.pdf · pages 3–4', 'a few letters would say nothing');
  });

  it('is the file alone where nothing else is known', () => {
    assert.equal(placeLine(terminal(80), { source: 'a\nb.txt', headings: [] }, 12), 'a\\nb.txt');
  });
});
