import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { loadSettings } from './load-settings.js';
import { configurationSchema } from './settings.js';

describe('loadSettings', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-settings-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const load = (file: unknown, environment = {}, flags = {}) => {
    const name = `${Math.random()}.json`;
    writeFileSync(join(folder, name), typeof file === 'string' ? file : JSON.stringify(file));
    return loadSettings({ folder, file: name, environment, flags });
  };
  const refusal = (file: unknown, environment = {}, flags = {}) => {
    try {
      load(file, environment, flags);
    } catch (error) {
      assert.ok(isAquiferError(error, 'invalid-options'));
      return error.message;
    }
    return assert.fail('accepted');
  };

  it('lets a flag win over a variable, a variable over the file, the file over the default', () => {
    const file = { maxDelete: 1, mode: 'dense', fusion: 'rrf' };
    const { values, origins } = load(file, { AQUIFER_MAX_DELETE: '2', AQUIFER_MODE: 'keyword' }, { maxDelete: '3' });
    assert.deepEqual([values.maxDelete, values.mode, values.fusion, values.model], [3, 'keyword', 'rrf', 'builtin']);
    assert.deepEqual([origins.maxDelete, origins.mode, origins.model], ['--max-delete', 'AQUIFER_MODE', 'default']);
    assert.match(origins.fusion, /\.json$/);
    assert.equal(origins.denseWeight, 'not set');
  });

  it('reads paths in the file as relative to the file', () => {
    assert.equal(load({ kb: 'index' }).values.kb, join(folder, 'index'));
    assert.equal(load({ kb: 'postgres://host/db' }).values.kb, 'postgres://host/db');
  });

  it('reads lists of globs: from JSON a list, from a flag or a variable one a line', () => {
    const { values } = load({ include: ['*.md', 'a b/**'] }, { AQUIFER_EXCLUDE: 'drafts\n*.{log,tmp}\n' });
    assert.deepEqual(
      [values.include, values.exclude],
      [
        ['*.md', 'a b/**'],
        ['drafts', '*.{log,tmp}'],
      ],
    );
    assert.deepEqual(load({ include: ['*.md'] }, {}, { include: '' }).values.include, [], '--no-include');
    assert.equal(load({}).values.include, undefined);
    for (const include of ['*.md', [''], [1], null]) assert.match(refusal({ include }), /"include" must be a list/);
  });

  it('treats an empty variable as not set', () => {
    assert.equal(load({}, { AQUIFER_KB: '' }).values.kb, '.aquifer');
    assert.equal(load({}, { AQUIFER_OPENAI_API_KEY: '', OPENAI_API_KEY: 'key' }).values.openaiApiKey, 'key');
  });

  it('refuses an encryption key that is there but empty, unless something else gives the key', () => {
    const emptyKey = { AQUIFER_ENCRYPTION_KEY: '' };
    assert.match(refusal({}, emptyKey), /^AQUIFER_ENCRYPTION_KEY is empty.*unset AQUIFER_ENCRYPTION_KEY/);
    assert.match(refusal({}, { AQUIFER_ENCRYPTION_KEY_FILE: '' }), /^AQUIFER_ENCRYPTION_KEY_FILE is empty/);
    assert.equal(load({ encryptionKey: 'key' }, emptyKey).values.encryptionKey, 'key');
    for (const [file, environment] of [
      [{ encryptionKeyFile: 'key.txt' }, {}],
      [{}, { AQUIFER_ENCRYPTION_KEY_FILE: join(folder, 'key.txt') }],
    ]) {
      const { values } = load(file, { ...emptyKey, ...environment });
      assert.deepEqual([values.encryptionKey, values.encryptionKeyFile], [undefined, join(folder, 'key.txt')]);
    }
    assert.equal(load({}).values.encryptionKey, undefined);
  });

  it('does not need a file unless one was named', () => {
    assert.equal(loadSettings({ folder, environment: {} }).values.kb, '.aquifer');
    assert.throws(() => loadSettings({ folder, environment: {}, file: 'absent.json' }), /absent\.json/);
  });

  it('refuses unknown keys, wrong types, wrong values and broken JSON, naming the place', () => {
    assert.match(refusal({ kbb: 'x' }), /unknown setting "kbb".*kb, .*embedder/);
    assert.match(refusal({ chunkTokens: '512' }), /"chunkTokens" must be a whole number from 64 to 8192/);
    assert.match(refusal({}, { AQUIFER_CHUNK_TOKENS: '12' }), /AQUIFER_CHUNK_TOKENS/);
    assert.match(refusal({}, {}, { denseWeight: 'much' }), /--dense-weight must be a number from 0 to 1/);
    assert.match(refusal({}, {}, { denseWeight: ' ' }), /--dense-weight/);
    assert.match(refusal({ mode: 'both' }), /hybrid, dense, keyword/);
    assert.match(refusal('{'), /not valid JSON/);
    assert.match(refusal('[]'), /must hold an object/);
  });

  it('ships a JSON Schema that says the same', () => {
    const shipped = JSON.parse(readFileSync(new URL('../../aquifer.config.schema.json', import.meta.url), 'utf8'));
    assert.deepEqual(shipped, configurationSchema(), 'run: node scripts/write-config-schema.mjs');
  });
});
