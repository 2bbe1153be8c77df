import { strict as assert } from 'node:assert';
import { type ErrorCode, isAquiferError } from '../errors.js';
import type { ExtractedDocument, Reader } from '../reader.js';
import type { TestRunner } from './test-runner.js';

export interface ReaderSample {
  /** File name with its extension. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly passwords?: readonly string[];
  /** What must be found in the text. */
  readonly contains?: readonly string[];
}

export interface ReaderContractOptions {
  readonly name: string;
  readonly create: () => Reader | Promise<Reader>;
  /** Files of the format that can be read. At least one. */
  readonly samples: readonly ReaderSample[];
  /** Files that cannot be read, with the code that says why. */
  readonly broken?: readonly (ReaderSample & { readonly code: ErrorCode })[];
  /** Whether any bytes are of this format, as they are for plain text: then nothing is refused. Default false. */
  readonly readsAnything?: boolean;
}

/** The only codes that `read` may reject with. */
export const readerErrorCodes: readonly ErrorCode[] = [
  'unsupported-format',
  'password-required',
  'invalid-document',
  'too-large',
  'aborted',
];

/**
 * What every reader must do, whatever its format.
 *
 * ```ts
 * readerContract({ describe, it }, { name: 'mine', create: () => myReader, samples: [{ name: 'a.xyz', bytes }] });
 * ```
 */
export function readerContract({ describe, it }: TestRunner, options: ReaderContractOptions): void {
  const { samples, broken = [] } = options;

  describe(`reader: ${options.name}`, () => {
    it('names its format, media types and extensions in lower case', async () => {
      const reader = await options.create();
      assert.match(reader.id, /^[a-z][a-z0-9-]*$/);
      assert.ok(reader.mediaTypes.length > 0 && reader.extensions.length > 0);
      for (const type of reader.mediaTypes) assert.match(type, /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/);
      for (const extension of reader.extensions) assert.match(extension, /^\.[a-z0-9.]+$/);
    });

    it('has a sample to read', () => {
      assert.ok(samples.length > 0);
    });

    for (const sample of samples) {
      it(`reads ${sample.name} with its structure, the same every time`, async () => {
        const reader = await options.create();
        if (reader.recognises) assert.equal(reader.recognises(sample.bytes), true, 'recognises its own format');
        const before = Buffer.from(sample.bytes);
        const document = await reader.read(sample, sample);
        assert.ok(before.equals(sample.bytes), 'the bytes stay as they were');
        assertWellFormed(document);
        for (const text of sample.contains ?? [])
          assert.ok(document.text.includes(text), `finds ${JSON.stringify(text)}`);
        assert.deepEqual(await reader.read(sample, sample), document);
        assert.deepEqual(await (await options.create()).read(sample, sample), document);
      });

      it(`reads or refuses ${sample.name} cut short or with bytes changed`, async () => {
        const reader = await options.create();
        for (const bytes of damaged(sample.bytes)) await assertReadOrRefused(reader, { ...sample, bytes });
      });

      it(`does not read ${sample.name} when aborted`, async () => {
        const reader = await options.create();
        await assert.rejects(reader.read(sample, { ...sample, signal: AbortSignal.abort() }), (error) =>
          isAquiferError(error, 'aborted'),
        );
      });
    }

    for (const sample of broken) {
      it(`refuses ${sample.name} as ${sample.code}, naming it`, async () => {
        const reader = await options.create();
        await assert.rejects(reader.read(sample, sample), (error) => {
          assert.ok(isAquiferError(error), String(error));
          assert.equal(error.code, sample.code, error.message);
          assert.ok(error.message.includes(sample.name), `the message names the file: ${error.message}`);
          return true;
        });
      });
    }

    it('reads or refuses an empty file', async () => {
      const reader = await options.create();
      const document = await assertReadOrRefused(reader, {
        name: `empty${reader.extensions[0]}`,
        bytes: new Uint8Array(),
      });
      if (document) assert.equal(document.text, '');
    });

    it('reads or refuses random bytes', async () => {
      const reader = await options.create();
      for (let seed = 1; seed <= 8; seed++) {
        const sample = { name: `random-${seed}${reader.extensions[0]}`, bytes: randomBytes(seed, 3000) };
        const document = await assertReadOrRefused(reader, sample);
        if (!options.readsAnything) assert.equal(document, undefined, 'random bytes are no document');
      }
    });
  });
}

/** Reads, and checks what comes out; undefined where the reader refused with one of {@link readerErrorCodes}. */
export async function assertReadOrRefused(
  reader: Pick<Reader, 'read'>,
  sample: ReaderSample,
): Promise<ExtractedDocument | undefined> {
  let document: ExtractedDocument;
  try {
    document = await reader.read(sample, sample);
  } catch (error) {
    assert.ok(
      isAquiferError(error),
      `${sample.name}: an AquiferError, not ${error instanceof Error ? error.stack : error}`,
    );
    assert.ok(readerErrorCodes.includes(error.code), `${sample.name}: ${error.code} is not a code of readers`);
    assert.ok(error.message.includes(sample.name), `the message names the file: ${error.message}`);
    return undefined;
  }
  assertWellFormed(document);
  return document;
}

/** Asserts everything that {@link ExtractedDocument} promises. */
export function assertWellFormed({ text, title, blocks, pages, metadata, omissions }: ExtractedDocument): void {
  assert.doesNotMatch(text, /[\r\0]/);
  assert.doesNotMatch(text, /\p{Surrogate}/u, 'well-formed UTF-16');
  if (title !== undefined) assert.notEqual(title.trim(), '', 'a title is not blank');
  let end = 0;
  for (const block of blocks) {
    assert.ok(
      block.start >= end && block.end > block.start && block.end <= text.length,
      'blocks in order, inside the text',
    );
    assert.equal(text.slice(end, block.start).trim(), '', 'nothing between blocks');
    assert.notEqual(text.slice(block.start, block.end).trim(), '', 'no blank block');
    assertLevel(block.kind, block.level);
    if (block.header) {
      assert.equal(block.kind, 'table-row', 'only table rows have a header');
      const { header } = block;
      assert.ok(
        blocks.some((one) => one.kind === 'table-row' && one.start === header.start && one.end === header.end),
        'the header is a row',
      );
    }
    end = block.end;
  }
  assert.equal(text.slice(end).trim(), '', 'nothing after the last block');
  let pageEnd = 0;
  let number = 0;
  for (const page of pages) {
    assert.ok(page.page > number && Number.isInteger(page.page), 'pages counted upwards from 1');
    assert.ok(page.start >= pageEnd && page.end >= page.start && page.end <= text.length, 'pages in order');
    number = page.page;
    pageEnd = page.end;
  }
  if (pages.length > 0) {
    for (let at = 0, index = 0; index <= pages.length; index++) {
      const page = pages[index];
      assert.equal(text.slice(at, page?.start ?? text.length).trim(), '', 'every character is on a page');
      at = page?.end ?? at;
    }
  }
  for (const value of Object.values(metadata)) assert.ok(Array.isArray(value) || typeof value !== 'object');
  for (const omission of omissions) assert.notEqual(omission.trim(), '');
}

function assertLevel(kind: string, level: number | undefined): void {
  if (kind === 'heading')
    assert.ok(level !== undefined && level >= 1 && level <= 6, 'headings have a level from 1 to 6');
  else if (kind === 'list-item') assert.ok(level === undefined || level >= 1, 'nesting counts from 1');
  else assert.equal(level, undefined, `a ${kind} has no level`);
}

function damaged(bytes: Uint8Array): Uint8Array[] {
  const cuts = [0.1, 0.5, 0.9].map((share) => bytes.slice(0, Math.floor(bytes.length * share)));
  const changes = [1, 2, 3, 4].map((seed) => {
    const changed = new Uint8Array(bytes);
    const noise = randomBytes(seed, 24);
    noise.forEach((byte, index) => {
      changed[(index * 7919 + seed * 104729 + byte * 31) % Math.max(1, changed.length)] = byte;
    });
    return changed;
  });
  return [...cuts, ...changes];
}

/** The same bytes for the same seed (xorshift, Marsaglia 2003). */
function randomBytes(seed: number, length: number): Uint8Array {
  let state = (seed * 2654435761) >>> 0 || 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state & 0xff;
  });
}
