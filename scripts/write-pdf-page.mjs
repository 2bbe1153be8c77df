// Writes docs/pdf.md and its pictures: sample pages beside what is read of them. Needs `pdftoppm` (Poppler) and a Japanese font.
//   npm run build && node scripts/write-pdf-page.mjs
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { pdfExamples, shownText } = await import('../packages/documents/dist/testing/pdf-examples.js');
const { pdfReader } = await import('../packages/documents/dist/reading/pdf.js');

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const dotsAnInch = 84;
const pixels = (points) => String(Math.round((points * dotsAnInch) / 72));

const work = mkdtempSync(join(tmpdir(), 'aquifer-pdf-'));
mkdirSync(join(docs, 'pdf'), { recursive: true });
const sections = [];
for (const { name, title, remark, bytes, shown } of pdfExamples) {
  const file = join(work, `${name}.pdf`);
  writeFileSync(file, bytes);
  const crop = ['-x', pixels(shown.x), '-y', pixels(shown.y), '-W', pixels(shown.width), '-H', pixels(shown.height)];
  execFileSync('pdftoppm', [
    '-r',
    String(dotsAnInch),
    '-gray',
    '-png',
    '-singlefile',
    ...crop,
    file,
    join(docs, 'pdf', name),
  ]);
  const text = shownText(await pdfReader.read({ bytes, name: `${name}.pdf` }));
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  sections.push(`### ${title}

${remark}

<table><tr><td><img src="pdf/${name}.png" alt="${title}: the page"></td></tr><tr><td><pre>
${escaped}
</pre></td></tr></table>
`);
}
rmSync(work, { recursive: true });

const page = join(docs, 'pdf.md');
const marker = '## Pages, and what is read of them\n';
const [before] = readFileSync(page, 'utf8').split(marker);
writeFileSync(page, `${before}${marker}\n${sections.join('\n')}`);
