import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { AquiferError } from '@aquifer/contracts';

/** Where the parts of Tesseract lie that are installed as packages. Nothing is ever downloaded. */
export interface InstalledTesseract {
  /** The folder of `tesseract.js-core`: WebAssembly and its glue. */
  readonly coreFolder: string;
  /** A `.traineddata.gz` for each language. */
  readonly dataFiles: ReadonlyMap<string, string>;
}

/** `4.0.0_best_int` are the best models with integer weights: a fifth of the size of `4.0.0`, and faster. */
const dataVariants = ['4.0.0_best_int', '4.0.0_fast', '4.0.0'];

/**
 * Finds `tesseract.js` and the data of these languages where Node finds packages, from here and from the current folder.
 *
 * @param languages Names of Tesseract: `eng`, `jpn`.
 * @throws `invalid-options` for what is no language name, `missing-dependency` with the npm command that installs what is missing.
 */
export function findTesseract(languages: readonly string[]): InstalledTesseract {
  if (languages.length === 0)
    throw new AquiferError('invalid-options', 'Name at least one language for OCR, such as eng.');
  const wrong = languages.find((language) => !/^[a-z]{3}(?:_[a-z]+)*$/i.test(language));
  if (wrong !== undefined) {
    throw new AquiferError(
      'invalid-options',
      `"${wrong}" is no language of Tesseract: they have three letters, such as eng, jpn, deu.`,
    );
  }
  const engine = findFile('tesseract.js/package.json');
  const core = engine && findFile('tesseract.js-core/package.json', engine);
  const dataFiles = new Map<string, string>();
  for (const language of languages) {
    const file = findData(language);
    if (file !== undefined) dataFiles.set(language, file);
  }
  const missing = [
    ...(core === undefined ? ['tesseract.js'] : []),
    ...languages.filter((language) => !dataFiles.has(language)).map((language) => `@tesseract.js-data/${language}`),
  ];
  if (core === undefined || missing.length > 0) {
    throw new AquiferError(
      'missing-dependency',
      `OCR needs ${missing.length === 1 ? 'a package that is' : 'packages that are'} not installed: npm install ${missing.join(' ')}`,
    );
  }
  return { coreFolder: dirname(core), dataFiles };
}

/** The unpacked model of a language. */
export function readTrainedData(file: string): Uint8Array {
  const bytes = readFileSync(file);
  return file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

function findData(language: string): string | undefined {
  const manifest = findFile(`@tesseract.js-data/${language}/package.json`);
  if (manifest === undefined) return undefined;
  for (const variant of dataVariants) {
    const path = join(dirname(manifest), variant, `${language}.traineddata.gz`);
    // Not every package has every variant.
    if (existsSync(path)) return path;
  }
  return undefined;
}

function findFile(specifier: string, from?: string): string | undefined {
  for (const start of from === undefined ? [import.meta.url, join(process.cwd(), 'index.js')] : [from]) {
    try {
      return createRequire(start).resolve(specifier);
    } catch {
      // Looked for elsewhere, or reported as missing.
    }
  }
  return undefined;
}
