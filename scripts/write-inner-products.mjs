// Compiles inner-products.wat into the module that the store carries. Run it after changing the source (a test compares the two).
import { readFileSync, writeFileSync } from 'node:fs';
import loadWabt from 'wabt';

const folder = new URL('../packages/local-store/src/vectors/', import.meta.url);
const wabt = await loadWabt();
const compiled = wabt.parseWat('inner-products.wat', readFileSync(new URL('inner-products.wat', folder), 'utf8'), {
  simd: true,
});
const base64 = Buffer.from(compiled.toBinary({}).buffer).toString('base64');
const lines = base64.match(/.{1,100}/g).map((line) => `  '${line}'`);
writeFileSync(
  new URL('inner-products-bytes.ts', folder),
  `/** inner-products.wat, compiled by scripts/write-inner-products.mjs. */\nexport const innerProductsBase64 =\n${lines.join(' +\n')};\n`,
);
