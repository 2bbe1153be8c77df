import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pptxOf, relationshipsPart, shapeOf } from '../../testing/archive-samples.js';
import { outlineOf, readSample } from '../../testing/document-outline.js';
import { oleOf, zipOf } from '../../testing/office-samples.js';
import { pptxReader } from './pptx.js';

const item = (text: string, properties: string) =>
  `<a:p><a:pPr ${properties.split('|')[0]}>${properties.split('|')[1] ?? ''}</a:pPr><a:r><a:t>${text}</a:t></a:r></a:p>`;
const frame = (data: string) =>
  `<p:graphicFrame><p:nvGraphicFramePr><p:nvPr/></p:nvGraphicFramePr><a:graphic><a:graphicData>${data}</a:graphicData></a:graphic></p:graphicFrame>`;

describe('pptxReader', () => {
  it('gives every slide a page, its title first, and leaves out what repeats on every slide', async () => {
    const slides = [
      shapeOf(['7'], 'sldNum') + shapeOf(['A picture says more.']) + shapeOf(['Leave', 'policy'], 'ctrTitle'),
      '',
      shapeOf(['Who?'], 'title') + shapeOf(['Everyone'], '') + shapeOf(['Confidential'], 'ftr'),
    ];
    const document = await readSample(pptxReader, pptxOf(slides));
    assert.deepEqual(
      document.pages.map(({ page, start, end }) => [page, document.text.slice(start, end)]),
      [
        [1, 'Leave policy\n\nA picture says more.'],
        [2, ''],
        [3, 'Who?\n\nEveryone'],
      ],
    );
    assert.equal(document.title, 'Leave policy');
  });

  it('reads lists with their levels and numbers, and line breaks', async () => {
    const slide =
      shapeOf(['First', item('Second', 'lvl="1"'), item('No bullet', '|<a:buNone/>')], 'body') +
      shapeOf([
        item('One', '|<a:buAutoNum type="arabicPeriod"/>'),
        item('Two', '|<a:buAutoNum type="arabicPeriod"/>'),
        '<a:p><a:r><a:t>Free</a:t></a:r><a:br/><a:r><a:t>text</a:t></a:r><a:fld type="slidenum"><a:t>9</a:t></a:fld></a:p>',
      ]);
    assert.deepEqual(await outlineOf(pptxReader, pptxOf([slide])), [
      'list-item 1: First',
      'list-item 2: Second',
      'paragraph: No bullet',
      'list-item 1: 1. One',
      'list-item 1: 2. Two',
      'paragraph: Free\ntext',
    ]);
  });

  it('reads groups, one of several alternatives, tables and speaker notes', async () => {
    const cell = (text: string, attributes = '') =>
      `<a:tc ${attributes}><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`;
    const table = `<a:tbl><a:tblPr firstRow="1"/><a:tr>${cell('Country')}${cell('Weeks')}</a:tr><a:tr>${cell('Japan', 'rowSpan="2"')}${cell('52')}</a:tr><a:tr>${cell('', 'vMerge="1"')}${cell('4')}</a:tr></a:tbl>`;
    const slide =
      `<p:grpSp><p:grpSp>${shapeOf(['Inside'])}</p:grpSp></p:grpSp>` +
      `<mc:AlternateContent><mc:Choice>${shapeOf(['New'])}</mc:Choice><mc:Fallback>${shapeOf(['Old'])}</mc:Fallback></mc:AlternateContent>` +
      frame(table);
    const parts = {
      'ppt/slides/_rels/slide1.xml.rels': relationshipsPart({ r9: ['notesSlide', '../notesSlides/notesSlide1.xml'] }),
      'ppt/notesSlides/notesSlide1.xml': `<p:notes><p:cSld><p:spTree>${shapeOf(['1'], 'sldNum')}${shapeOf(['Speak slowly.', 'Pause.'], 'body')}</p:spTree></p:cSld></p:notes>`,
    };
    const file = pptxOf([slide.replace('<mc:', '<mc:')], parts);
    assert.deepEqual(await outlineOf(pptxReader, file), [
      'paragraph: Inside',
      'paragraph: New',
      'header: Country | Weeks',
      'row of Country | Weeks: Japan | 52',
      'row of Country | Weeks: Japan | 4',
      'paragraph: Speak slowly.',
      'paragraph: Pause.',
    ]);
  });

  it('reads the numbers of charts and the points of SmartArt', async () => {
    const points = (values: readonly string[]) =>
      values.map((value, index) => `<c:pt idx="${index}"><c:v>${value}</c:v></c:pt>`).join('');
    const chart = `<c:chartSpace><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea><c:barChart><c:ser>
      <c:tx><c:strRef><c:strCache>${points(['2025'])}</c:strCache></c:strRef></c:tx><c:cat><c:strRef><c:strCache>${points(['Oslo', 'Tokyo'])}</c:strCache></c:strRef></c:cat>
      <c:val><c:numRef><c:numCache>${points(['1.5', '0.30000000000000004'])}</c:numCache></c:numRef></c:val></c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>`;
    const data = `<dgm:dataModel><dgm:ptLst><dgm:pt type="doc"><dgm:t><a:p><a:r><a:t>no</a:t></a:r></a:p></dgm:t></dgm:pt><dgm:pt><dgm:t><a:p><a:r><a:t>Ask</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst></dgm:dataModel>`;
    const parts = {
      'ppt/slides/_rels/slide1.xml.rels': relationshipsPart({
        r2: ['chart', '../charts/chart1.xml'],
        r3: ['diagramData', '../diagrams/data1.xml'],
      }),
      'ppt/charts/chart1.xml': chart,
      'ppt/diagrams/data1.xml': data,
    };
    const slide = frame('<c:chart r:id="r2"/>') + frame('<dgm:relIds r:dm="r3"/>');
    assert.deepEqual(await outlineOf(pptxReader, pptxOf([slide], parts)), [
      'paragraph: Sales',
      'header: | 2025',
      'row of | 2025: Oslo | 1.5',
      'row of | 2025: Tokyo | 0.3',
      'paragraph: Ask',
    ]);
  });

  it('takes the title of its properties, but not the one that PowerPoint invents', async () => {
    const core = (title: string) => ({
      'docProps/core.xml': `<cp:coreProperties><dc:title>${title}</dc:title><dc:creator>Ada</dc:creator></cp:coreProperties>`,
    });
    const slides = [shapeOf(['On the slide'], 'title')];
    const named = await readSample(pptxReader, pptxOf(slides, core('In the properties')));
    assert.deepEqual([named.title, { ...named.metadata }], ['In the properties', { author: 'Ada' }]);
    assert.equal((await readSample(pptxReader, pptxOf(slides, core('PowerPoint Presentation')))).title, 'On the slide');
  });

  it('says what is wrong with files that it cannot read', async () => {
    const refuses = (bytes: Uint8Array, code: string, message: RegExp) =>
      assert.rejects(readSample(pptxReader, bytes, 'a.pptx'), { code, message });
    await refuses(oleOf('EncryptedPackage'), 'password-required', /a\.pptx is protected with a password/);
    await refuses(Buffer.from('plain'), 'unsupported-format', /a\.pptx is plain text, not a PowerPoint presentation/);
    await refuses(
      zipOf({ 'ppt/slides/slide1.xml': '<a/>' }),
      'invalid-document',
      /a\.pptx is damaged.*presentation\.xml/,
    );
    await refuses(pptxOf(['<p:sp>']), 'invalid-document', /a\.pptx is damaged: its part ppt\/slides\/slide1\.xml/);
    await refuses(pptxOf(['&lol;']), 'invalid-document', /slide1\.xml is not well-formed XML/);
  });
});
