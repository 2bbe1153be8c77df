import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { htmlReader } from './html.js';

const page = (body: string, head = '<title>Page</title>') =>
  `<!DOCTYPE html><html><head>${head}</head><body>${body}</body></html>`;

describe('htmlReader', () => {
  it('reads headings, paragraphs, nested lists and code', async () => {
    const lines = await outlineOf(
      htmlReader,
      page(`<h1>Leave &amp; <em>care</em></h1><p>Ask
        early.<br>In writing.</p><ul><li>One<ol><li>first<li>second</ol></li><li>Two</ul><pre>
  a  =  1
b</pre>`),
    );
    assert.deepEqual(lines, [
      'heading 1: Leave & care',
      'paragraph: Ask early.\nIn writing.',
      'list-item 1: One',
      'list-item 2: 1. first',
      'list-item 2: 2. second',
      'list-item 1: Two',
      'code:   a  =  1\nb',
    ]);
  });

  it('takes paragraphs out of nested divisions and doubled line breaks', async () => {
    const lines = await outlineOf(htmlReader, page('<div>one<div>two</div>three<br><br>four<span>teen</span></div>'));
    assert.deepEqual(lines, ['paragraph: one', 'paragraph: two', 'paragraph: three', 'paragraph: fourteen']);
  });

  it('counts lists from where they start, and not at all where they show letters', async () => {
    const lines = await outlineOf(htmlReader, page('<ol start=3><li>c<li value=9>i<li>j</ol><ol type=a><li>x</ol>'));
    assert.deepEqual(lines, ['list-item 1: 3. c', 'list-item 1: 9. i', 'list-item 1: 10. j', 'list-item 1: x']);
  });

  it('repeats cells over several rows, and headers over several columns', async () => {
    const lines = await outlineOf(
      htmlReader,
      page(`<table><caption>Weeks</caption>
        <thead><tr><th rowspan=2>Country<th colspan=2>Leave<tr><th>Parental<th>Sick</thead>
        <tr><td rowspan=2>Japan<td>52<td>4<tr><td colspan=2>none<tr><td>Norway<td>49<td>52</table>`),
    );
    assert.deepEqual(lines, [
      'paragraph: Weeks',
      'row: Country | Leave | Leave',
      'header: Country | Parental | Sick',
      'row of Country | Parental | Sick: Japan | 52 | 4',
      'row of Country | Parental | Sick: Japan | none',
      'row of Country | Parental | Sick: Norway | 49 | 52',
    ]);
  });

  it('takes the first row for the header only where it names columns', async () => {
    const table = (first: string) => page(`<table><tr>${first}<tr><td>Oslo<td>72</table>`);
    assert.deepEqual(await outlineOf(htmlReader, table('<td>City<td>Rate')), [
      'header: City | Rate',
      'row of City | Rate: Oslo | 72',
    ]);
    assert.deepEqual(await outlineOf(htmlReader, table('<td>Bergen<td>64')), ['row: Bergen | 64', 'row: Oslo | 72']);
  });

  it('reads a table that only places things on the page as what stands in it', async () => {
    const lines = await outlineOf(
      htmlReader,
      page(
        '<table><tr><td><h2>News</h2><p>Text</p></td><td><table><tr><td>a<td>b<tr><td>1<td>2</table></td></tr></table>',
      ),
    );
    assert.deepEqual(lines, ['heading 2: News', 'paragraph: Text', 'header: a | b', 'row of a | b: 1 | 2']);
  });

  it('leaves out navigation, banners, scripts and what is hidden', async () => {
    const lines = await outlineOf(
      htmlReader,
      page(`<header><a href=/>Home</a></header><nav><a href=/a>Menu</a></nav><div role=dialog>Cookies!</div>
        <main><h1>Leave</h1><p>Ask early.</p><script>x()</script><template>t</template><p hidden>no</p><p style="display: none">no</p>
        <div role=tabpanel hidden>second tab</div><button>Send</button><select><option>o</select></main>
        <aside>Related</aside><footer>Imprint</footer>`),
    );
    assert.deepEqual(lines, ['heading 1: Leave', 'paragraph: Ask early.', 'paragraph: second tab']);
  });

  it('drops lists of links from pages that mark nothing', async () => {
    const links = (id: string) => `<ul id=${id}>${'<li><a href=x>Somewhere</a>'.repeat(5)}</ul>`;
    const body = `${links('a')}<div><h1>Leave</h1><p>${'Ask early and in writing. '.repeat(20)}</p></div>${links('b')}`;
    assert.deepEqual(
      (await outlineOf(htmlReader, page(body))).map((line) => line.slice(0, 20)),
      ['heading 1: Leave', 'paragraph: Ask early'],
    );
  });

  it('keeps a page that is nothing but links, and one whose main element holds next to nothing', async () => {
    assert.equal(
      (
        await outlineOf(
          htmlReader,
          page('<ul><li><a href=1>One</a><li><a href=2>Two</a><li><a href=3>3</a><li><a href=4>4</a></ul>'),
        )
      ).length,
      4,
    );
    const text = 'The whole story. '.repeat(30);
    assert.deepEqual(await outlineOf(htmlReader, page(`<main>Hi.</main><div>${text}</div>`)), [
      'paragraph: Hi.',
      `paragraph: ${text.trim()}`,
    ]);
    assert.deepEqual(await outlineOf(htmlReader, page('<nav>Only this</nav>')), ['paragraph: Only this']);
  });

  it('finds the only main heading in the header of the page', async () => {
    const lines = await outlineOf(htmlReader, page('<header><nav>Menu</nav><h1>Leave</h1></header><p>Ask early.</p>'));
    assert.deepEqual(lines, ['heading 1: Leave', 'paragraph: Ask early.']);
  });

  it('reads a question that is the button of an accordion', async () => {
    assert.deepEqual(await outlineOf(htmlReader, page('<h3><button>How long?</button></h3><p>52 weeks.')), [
      'heading 3: How long?',
      'paragraph: 52 weeks.',
    ]);
  });

  it('keeps what images say, not how they are called, and not the readings over Japanese words', async () => {
    const body =
      '<p>See <img alt="Map of the port"><img alt="IMG_1.png"><img alt=logo>.<p><ruby>東京<rp>(<rt>とうきょう<rp>)</ruby>へ\n行く。';
    assert.deepEqual(await outlineOf(htmlReader, page(body)), [
      'paragraph: See Map of the port .',
      'paragraph: 東京へ行く。',
    ]);
  });

  it('reads title, description, author, date and language', async () => {
    const head =
      '<title> Leave\n policy </title><meta name=description content="Who may  go."><meta name=author content=Ada><meta property="article:modified_time" content=2025-01-20>';
    const { title, metadata } = await readSample(htmlReader, `<html lang=en-GB><head>${head}<body><h1>Other</h1>`);
    assert.equal(title, 'Leave policy');
    assert.deepEqual(
      { ...metadata },
      { description: 'Who may go.', author: 'Ada', modified: '2025-01-20', language: 'en-GB' },
    );
    assert.equal((await readSample(htmlReader, '<h1>Only <b>this</b></h1>')).title, 'Only this');
  });

  it('decodes pages by their declaration', async () => {
    const japanese = Buffer.concat([
      Buffer.from('<meta charset="Shift_JIS"><p>'),
      Buffer.from([0x93, 0xfa, 0x96, 0x7b]),
    ]);
    assert.deepEqual(await outlineOf(htmlReader, japanese), ['paragraph: 日本']);
    assert.deepEqual(await outlineOf(htmlReader, Buffer.from('<p>caf\xe9', 'latin1')), ['paragraph: café']);
    assert.deepEqual(await outlineOf(htmlReader, Buffer.from('\ufeff<p>caf\xe9', 'utf16le')), ['paragraph: café']);
    assert.deepEqual(await outlineOf(htmlReader, '<meta charset="no-such"><p>é'), ['paragraph: é']);
  });

  it('survives hostile nesting, and loses nothing of it', async () => {
    const deep = 20_000;
    for (const [open, close] of [
      ['<div>', '</div>'],
      ['<ul><li>', '</ul>'],
      ['<table><tr><td>', '</table>'],
      ['<p><b id=1>', ''],
      ['<p><a href=1>', ''],
      ['<span>', '</span>'],
      ['<svg><g>', '</svg>'],
    ] as const) {
      const document = await readSample(htmlReader, `first ${open.repeat(deep)} inside ${close.repeat(deep)} last`);
      const expected = open.startsWith('<svg') ? /first/ : /first[\s\S]*inside[\s\S]*last/;
      assert.match(document.text, expected, open);
    }
  });

  it('stops when told to', async () => {
    const input = { bytes: new TextEncoder().encode('<p>x'), name: 'x.html' };
    await assert.rejects(htmlReader.read(input, { signal: AbortSignal.abort() }), { code: 'aborted' });
  });
});
