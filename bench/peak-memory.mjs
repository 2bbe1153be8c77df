// The most memory that `aquifer index` takes, for folders of mixed files of several sizes: it should not grow with the folder.
//
// The folder is made anew each time, the same for the same size: a third of the bytes in small files, half in files of 1 to 20 MB,
// the rest in some of 50 MB and more; text, Markdown, CSV, JSON, JSONL, HTML, source, DOCX and XLSX, and PDFs where a folder of
// them is given. Words are drawn by Zipf's law from 200,000.
//
// Usage: node bench/peak-memory.mjs [megabytes, default 256,512] [--pdfs <folder of PDFs>] [--heap <MB of V8's old space>]
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { strToU8, zipSync } from 'fflate';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pdfs: { type: 'string' }, heap: { type: 'string' } },
});
const sizes = (positionals[0] ?? '256,512').split(',').map(Number);
const command = fileURLToPath(new URL('../apps/cli/bin/aquifer.js', import.meta.url));
const megabyte = 1e6;

let seed = 0;
const random = (below) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};
// A tokenizer's whole words, in about the order of their frequency, and rarer ones made of two: as many letters, tokens and
// different words as in English.
const { bpe_ranks: ranks } = createRequire(import.meta.url)('tiktoken/encoders/cl100k_base.json');
const common = ranks
  .split(/\s+/)
  .map((token) => Buffer.from(token, 'base64').toString())
  .filter((token) => /^ ([ai]|[a-z]{2,})$/.test(token))
  .map((token) => token.slice(1));
const vocabulary = Array.from({ length: 200_000 }, (_, rank) =>
  rank < common.length ? common[rank] : common[random(common.length)] + common[random(common.length)],
);
/** Rank r about as often as 1 / r. */
const word = () => vocabulary[Math.floor(vocabulary.length ** (random(1e6) / 1e6)) - 1];
const sentence = () => `${Array.from({ length: 6 + random(14) }, word).join(' ')}.`;
const paragraph = () => Array.from({ length: 3 + random(5) }, sentence).join(' ');
const row = () => [random(1e6), word(), `${word()} ${word()}`, random(1e5) / 100, sentence()];

const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const packageTypes = 'http://schemas.openxmlformats.org/package/2006';
const officeTypes = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const mediaTypes = 'application/vnd.openxmlformats-officedocument';
const relationship = (target, type) =>
  `${xml}<Relationships xmlns="${packageTypes}/relationships"><Relationship Id="r1" Type="${officeTypes}/${type}" Target="${target}"/></Relationships>`;
const contentTypes = (parts) =>
  `${xml}<Types xmlns="${packageTypes}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
  `${parts.map(([name, type]) => `<Override PartName="${name}" ContentType="${mediaTypes}.${type}+xml"/>`).join('')}</Types>`;
const zipped = (parts) =>
  zipSync(Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, strToU8(text)])), { level: 1 });

function docx(bytes) {
  let body = '';
  while (body.length < bytes) body += `<w:p><w:r><w:t>${paragraph()}</w:t></w:r></w:p>`;
  const space = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';
  return zipped({
    '[Content_Types].xml': contentTypes([['/word/document.xml', 'wordprocessingml.document.main']]),
    '_rels/.rels': relationship('word/document.xml', 'officeDocument'),
    'word/document.xml': `${xml}<w:document xmlns:w="${space}"><w:body>${body}</w:body></w:document>`,
  });
}

function xlsx(bytes) {
  let rows = '';
  for (let n = 1; rows.length < bytes; n += 1) {
    const cells = row().map((value, column) => {
      const place = `r="${'ABCDE'[column]}${n}"`;
      return typeof value === 'number'
        ? `<c ${place}><v>${value}</v></c>`
        : `<c ${place} t="inlineStr"><is><t>${value}</t></is></c>`;
    });
    rows += `<row r="${n}">${cells.join('')}</row>`;
  }
  const space = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  return zipped({
    '[Content_Types].xml': contentTypes([
      ['/xl/workbook.xml', 'spreadsheetml.sheet.main'],
      ['/xl/worksheets/sheet1.xml', 'spreadsheetml.worksheet'],
    ]),
    '_rels/.rels': relationship('xl/workbook.xml', 'officeDocument'),
    'xl/workbook.xml': `${xml}<workbook xmlns="${space}" xmlns:r="${officeTypes}"><sheets><sheet name="Orders" sheetId="1" r:id="r1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relationship('worksheets/sheet1.xml', 'worksheet'),
    'xl/worksheets/sheet1.xml': `${xml}<worksheet xmlns="${space}"><sheetData>${rows}</sheetData></worksheet>`,
  });
}

/** Kinds that are written piece by piece: what comes first, a piece, what stands between two, what comes last. */
const written = {
  txt: ['', () => `${paragraph()}\n\n`, '', ''],
  md: ['# Handbook\n\n', () => `${random(4) === 0 ? `## ${word()} ${word()}\n\n` : ''}${paragraph()}\n\n`, '', ''],
  csv: ['id,name,place,amount,note\n', () => `${row().join(',')}\n`, '', ''],
  json: ['[', () => JSON.stringify(row()), ',\n', ']'],
  jsonl: ['', () => `${JSON.stringify({ id: random(1e6), place: word(), note: sentence() })}\n`, '', ''],
  html: ['<!doctype html><title>Page</title><body>', () => `<h2>${word()}</h2><p>${paragraph()}</p>\n`, '', '</body>'],
  ts: [
    '',
    () =>
      `/** ${sentence()} */\nexport function ${word()}${random(1e6)}(${word()}: number) {\n  return ${random(99)};\n}\n\n`,
    '',
    '',
  ],
};
const packed = { docx, xlsx };

function write(path, kind, bytes) {
  if (kind in packed) {
    const content = packed[kind](bytes);
    writeFileSync(path, content);
    return content.length;
  }
  const [first, piece, between, last] = written[kind];
  let [part, total] = [first, 0];
  writeFileSync(path, '');
  for (let isFirst = true; total + part.length < bytes; isFirst = false) {
    part += (isFirst ? '' : between) + piece();
    if (part.length < megabyte) continue;
    appendFileSync(path, part);
    total += part.length;
    part = '';
  }
  appendFileSync(path, part + last);
  return total + part.length + last.length;
}

/** @returns how many files it wrote. */
function fill(folder, size) {
  seed = 11;
  let files = 0;
  const until = (share, kinds, bytes) => {
    for (let total = 0; total < size * share; files += 1) {
      const inner = join(folder, `folder-${Math.floor(files / 200)}`);
      mkdirSync(inner, { recursive: true });
      const kind = kinds[files % kinds.length];
      total += write(join(inner, `file-${files}.${kind}`), kind, bytes());
    }
  };
  const every = [...Object.keys(written), ...Object.keys(packed)];
  const pdfs = values.pdfs === undefined ? [] : readdirSync(values.pdfs).filter((name) => name.endsWith('.pdf'));
  until(0.33, every, () => 1_000 + random(60_000));
  until(pdfs.length > 0 ? 0.42 : 0.5, every, () => megabyte + random(19 * megabyte));
  until(0.17, ['txt', 'md', 'csv', 'jsonl'], () => Math.min(size * 0.17, (50 + random(40)) * megabyte));
  for (let total = 0, n = 0; pdfs.length > 0 && total < size * 0.08; n += 1, files += 1) {
    // A comment after the end makes each copy a document of its own.
    const content = Buffer.concat([
      readFileSync(join(values.pdfs, pdfs[n % pdfs.length])),
      Buffer.from(`\n% copy ${n}\n`),
    ]);
    writeFileSync(join(folder, `report-${n}.pdf`), content);
    total += content.length;
  }
  return files;
}

const kilobytes = (status, name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);

/** Processes that this one started, itself first. */
function processTree(id) {
  try {
    const children = readFileSync(`/proc/${id}/task/${id}/children`, 'utf8').trim();
    return [id, ...(children === '' ? [] : children.split(' ').flatMap((child) => processTree(Number(child))))];
  } catch {
    return [];
  }
}

async function index(folder, location) {
  const heap = values.heap === undefined ? [] : [`--max-old-space-size=${values.heap}`];
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...heap, command, 'index', folder, '--kb', location, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [samples, peaks] = [[], new Map()];
  const look = () => {
    let resident = 0;
    for (const id of processTree(child.pid)) {
      try {
        const status = readFileSync(`/proc/${id}/status`, 'utf8');
        resident += kilobytes(status, 'VmRSS');
        peaks.set(id, kilobytes(status, 'VmHWM'));
      } catch {
        // It ended in between.
      }
    }
    if (resident > 0) samples.push(resident);
  };
  const timer = setInterval(look, 100);
  let [said, complaints] = ['', ''];
  child.stdout.on('data', (data) => {
    said += data;
  });
  child.stderr.on('data', (data) => {
    complaints += data;
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(timer);
  const lines = said
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const summary = lines.find(({ type }) => type === 'summary') ?? lines.at(-1);
  if (status !== 0 && status !== 3) throw new Error(`Status ${status}: ${complaints.slice(-2_000)}`);
  for (const { source, reason } of lines.filter((line) => line.status === 'failed'))
    console.error(`${source}: ${reason}`);
  const seconds = (performance.now() - startedAt) / 1_000;
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted[sorted.length >> 1];
  return { summary, seconds, peak: Math.max(...peaks.values(), sorted.at(-1)), middle };
}

console.log('| mixed files | documents | failed | chunks | time | MB/s | peak memory | half of the time below |');
console.log('|---|---|---|---|---|---|---|---|');
for (const size of sizes) {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-bench-memory-'));
  try {
    const { bavail, bsize } = statfsSync(folder);
    // The index of a folder of text is several times its size.
    if (bavail * bsize < size * megabyte * 12)
      throw new Error(`${size} MB of files and their index need ${size * 12} MB of disk.`);
    mkdirSync(join(folder, 'files'));
    const files = fill(join(folder, 'files'), size * megabyte);
    const { summary, seconds, peak, middle } = await index(join(folder, 'files'), join(folder, 'index'));
    console.log(
      `| ${size} MB | ${files} | ${summary.failed} | ${summary.chunks} | ${seconds.toFixed(0)} s | ${(size / seconds).toFixed(2)} | ` +
        `${Math.round(peak / 1_024)} MB | ${Math.round(middle / 1_024)} MB |`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
