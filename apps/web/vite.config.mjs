import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const pdfjs = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'));
const { version } = JSON.parse(readFileSync(join(pdfjs, 'package.json'), 'utf8'));

/** What PDF.js fetches for some files: maps of characters, the standard fonts, colour profiles, and decoders that need no WebAssembly. */
const pdfData = {
  name: 'pdf-data',
  generateBundle() {
    for (const folder of ['cmaps', 'standard_fonts', 'iccs', 'wasm']) {
      for (const name of readdirSync(join(pdfjs, folder))) {
        if (folder === 'wasm' && !name.endsWith('.js')) continue;
        const source = readFileSync(join(pdfjs, folder, name));
        this.emitFile({ type: 'asset', fileName: `assets/pdfjs-${version}/${folder}/${name}`, source });
      }
    }
  },
};

/** Smaller ones fit into one packet as they are. */
const leastCompressed = 1_400;

/** Compressed once here, and not for each who asks. */
const compressed = {
  name: 'compressed',
  // Not before: Vite itself changes the code until it is written.
  writeBundle({ dir }, bundle) {
    for (const fileName of Object.keys(bundle)) {
      if (!/\.(js|mjs|css)$/.test(fileName)) continue;
      const path = join(dir, fileName);
      const bytes = readFileSync(path);
      if (bytes.length < leastCompressed) continue;
      // The highest quality saves a twentieth more and takes ten times as long.
      writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
      writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    }
  },
};

// biome-ignore lint/style/noDefaultExport: where Vite looks for it
export default defineConfig({
  root: import.meta.dirname,
  plugins: [pdfData, compressed],
  build: {
    outDir: 'dist/page',
    emptyOutDir: true,
    target: 'es2022',
    // Inlined ones would need `data:` in the service's policy.
    assetsInlineLimit: 0,
    rollupOptions: { input: ['index.html', 'docs.html'].map((name) => join(import.meta.dirname, name)) },
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_200,
  },
  // `npm run dev` beside a running service.
  server: { proxy: { '/v1': 'http://127.0.0.1:8420' } },
});
