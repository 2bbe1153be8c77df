import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTextBuilder, type TextWithStructure } from '../text-builder.js';
import { appendMarkup, createMarkupAppender } from './append-markup.js';
import { createMarkupStream, type MarkupNode, parseMarkup } from './parse-markup.js';

const pages: Readonly<Record<string, string>> = {
  'blocks and loose text': 'a<p>b</p> c <em>d</em>e<h2>f</h2>\n<ul><li>g<li>h<ol><li>i</ol></ul>j<br>k<hr>l',
  'a whole page': '<!doctype html><html><head><title>t</title><body><p>a</p><div>b</div></body></html>\n<p>c</p>d',
  'what is never closed': '<div><p>a<p>b<blockquote>c<pre>d\n e',
  'text out of place in a table': 'a<table>b<tr>c<td>d</td><td>e</td></tr>f<p>g</p><div>h</table>i',
  'a link over blocks': '<a href="x">a<p>b</a>c</p><table><a>d<tr><td>e</a>f</td></tr></table><p>g<a>h<a>i</p>j',
  'a form around a table': '<form><table><tr><td><form>a</form></td></tr></table></form><p>b</p></form>c',
  'frames behind empty blocks': '<p></p><div></div><p></p><p></p><frameset><frame></frameset><p>a</p>',
  templates: '<p>a</p><template><p>b</p></template><p>c</p><svg><title>d</title><p>e</svg><p>f</p>',
};

function readInPieces(page: string, length: number): TextWithStructure {
  const builder = createTextBuilder();
  const appender = createMarkupAppender(builder);
  const markup = createMarkupStream();
  for (let start = 0; start < page.length; start += length)
    appender.append(markup.write(page.slice(start, start + length)));
  appender.append(markup.end());
  appender.finish();
  return builder.finish();
}

describe('markup that is parsed piece by piece', () => {
  for (const [name, page] of Object.entries(pages)) {
    it(`is read as a whole one is: ${name}`, () => {
      const builder = createTextBuilder();
      appendMarkup(builder, parseMarkup(page));
      const whole = builder.finish();
      for (const length of [1, 2, 3, 7, 19, 1_000]) assert.deepEqual(readInPieces(page, length), whole, `${length}`);
    });
  }

  it('is let go of as it is complete', () => {
    const markup = createMarkupStream();
    const nodes: MarkupNode[] = [];
    for (let number = 0; number < 1_000; number++) {
      nodes.push(...markup.write(`<p>${number}</p>`));
      assert.ok(nodes.length >= number - 2, `${nodes.length} of ${number}`);
    }
    assert.equal(nodes.length + markup.end().length, 1_000);
  });
});
