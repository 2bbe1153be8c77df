import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epubOf } from '../../testing/archive-samples.js';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { zipOf } from '../../testing/office-samples.js';
import { epubReader } from './epub.js';

describe('epubReader', () => {
  it('reads chapters in the order of the spine, with XHTML that closes its elements at once', async () => {
    const book = epubOf({
      'z.xhtml': '<h1><a id="one"/>One</h1><p>First<br/>line &amp; more.</p><script/><ul><li>item</li></ul>',
      'a b.xhtml': '<h2>Two</h2><div/><p hidden="hidden">unseen</p><p>Second.</p>',
    });
    assert.deepEqual(await outlineOf(epubReader, book), [
      'heading 1: One',
      'paragraph: First\nline & more.',
      'list-item 1: item',
      'heading 2: Two',
      'paragraph: Second.',
    ]);
  });

  it('takes names of chapters from the table of contents where the chapter has no heading', async () => {
    const navigation =
      '<nav epub:type="toc"><ol><li><a href="one.xhtml#start">The beginning</a></li><li><a href="two.xhtml">Not this</a></li></ol></nav>';
    const book = epubOf({ 'one.xhtml': '<p>Once.</p>', 'two.xhtml': '<h1>Two</h1>', 'nav.xhtml': navigation }, '', {
      manifest: '<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
    });
    assert.deepEqual(await outlineOf(epubReader, book), [
      'heading 1: The beginning',
      'paragraph: Once.',
      'heading 1: Two',
    ]);
    const old = epubOf({ 'one.xhtml': '<p>Once.</p>' }, '', {
      manifest: '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>',
      'OEBPS/toc.ncx':
        '<ncx><navMap><navPoint><navLabel><text>The beginning</text></navLabel><content src="one.xhtml"/></navPoint></navMap></ncx>',
    });
    assert.deepEqual((await outlineOf(epubReader, old))[0], 'heading 1: The beginning');
  });

  it('reads what the book says of itself', async () => {
    const metadata =
      '<dc:title>Leave</dc:title><dc:title>A subtitle</dc:title><dc:creator>Ada</dc:creator><dc:creator>Bo</dc:creator><dc:language>ja</dc:language><dc:description>&lt;p&gt;All about it.&lt;/p&gt;</dc:description>';
    const document = await readSample(epubReader, epubOf({ 'a.xhtml': '<p>Text.</p>' }, metadata));
    assert.equal(document.title, 'Leave');
    assert.deepEqual({ ...document.metadata }, { author: ['Ada', 'Bo'], language: 'ja', description: 'All about it.' });
  });

  it('names chapters that are missing', async () => {
    const book = epubOf({ 'a.xhtml': '<p>Text.</p>' }, '', {
      manifest: '<item id="c0" href="gone.xhtml" media-type="application/xhtml+xml"/>',
    });
    assert.deepEqual((await readSample(epubReader, book)).omissions, ['the chapter OEBPS/gone.xhtml is missing']);
  });

  it('says what is wrong with files that it cannot read', async () => {
    const refuses = (bytes: Uint8Array, code: string, message: RegExp) =>
      assert.rejects(readSample(epubReader, bytes, 'a.epub'), { code, message });
    const encryption = (algorithm: string) =>
      epubOf({ 'a.xhtml': '<p>Text.</p>' }, '', {
        'META-INF/encryption.xml': `<encryption><EncryptedData><EncryptionMethod Algorithm="${algorithm}"/></EncryptedData></encryption>`,
      });
    await refuses(
      encryption('http://www.w3.org/2001/04/xmlenc#aes128-cbc'),
      'unsupported-format',
      /protected against copying/,
    );
    assert.equal((await readSample(epubReader, encryption('http://www.idpf.org/2008/embedding'))).text, 'Text.');
    await refuses(Buffer.from('plain'), 'unsupported-format', /^a\.epub is plain text, not an EPUB book/);
    await refuses(zipOf({ mimetype: 'application/epub+zip' }), 'invalid-document', /does not say what it consists of/);
    await refuses(epubOf({}, '<dc:title>'), 'invalid-document', /book\.opf is not well-formed XML/);
  });
});
