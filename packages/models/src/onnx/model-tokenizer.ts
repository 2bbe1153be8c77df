import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AquiferError } from '@aquifer/contracts';
import { Tokenizer } from '@huggingface/tokenizers';

/** Text to token ids and back to a count, exactly as the model's own tokenizer does. */
export interface ModelTokenizer {
  /** With the special tokens around. Time linear in the length of the text. */
  encode(text: string): number[];
  /** Without special tokens. */
  encodeBare(text: string): number[];
  /** `encode(text).length`. */
  count(text: string): number;
  /** How the model's tokenizer puts two texts together. */
  pairTemplate(): PairTemplate;
  /** Stands in where a text has no token at all. */
  readonly unknownId: number;
}

/** Special tokens around and between two texts, and which of the two each position belongs to, as the model takes it (`token_type_ids`). */
export interface PairTemplate {
  readonly before: readonly number[];
  readonly between: readonly number[];
  readonly after: readonly number[];
  readonly firstType: number;
  readonly betweenTypes: readonly number[];
  readonly secondType: number;
}

/**
 * Texts above this length go through the tokenizer in pieces: its lattice takes a few hundred bytes a character.
 * Pieces end before white space, where every tokenizer starts a new word.
 */
const maxPieceLength = 8192;

/**
 * Reads `tokenizer.json` and `tokenizer_config.json` of a model folder.
 *
 * @throws `model-not-found` where there is no `tokenizer.json`, `model-failed` where it cannot be used.
 */
export function readModelTokenizer(folder: string): ModelTokenizer {
  const definition = readJson(join(folder, 'tokenizer.json'));
  if (definition === undefined) {
    throw new AquiferError('model-not-found', `The model folder ${folder} has no tokenizer.json.`);
  }
  const config = readJson(join(folder, 'tokenizer_config.json')) ?? {};
  try {
    return createModelTokenizer(definition, config);
  } catch (error) {
    throw new AquiferError('model-failed', `${join(folder, 'tokenizer.json')} cannot be used: ${String(error)}`, {
      cause: error,
    });
  }
}

/** The parsed content of a JSON file that holds an object, or undefined where there is no such file. */
export function readJson(path: string): Record<string, unknown> | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new AquiferError('model-failed', `${path} is not JSON: ${String(error)}`, { cause: error });
  }
  throw new AquiferError('model-failed', `${path} must hold a JSON object.`);
}

function createModelTokenizer(definition: object, config: object): ModelTokenizer {
  const tokenizer = new Tokenizer(definition, config);
  const model = tokenizer.model;
  if (model === null) throw new Error('it has no model');
  const isWordPiece = model.config.type === 'WordPiece';
  if (isWordPiece) {
    model.encode = createWordPiece(model.config as unknown as WordPieceConfig);
  }
  if (model.fuse_unk) {
    // The library fuses by appending to one string and looking it up each time, which is quadratic in a row of emoji.
    const encodeWords = model.encode.bind(model);
    model.fuse_unk = false;
    model.encode = (words: string[]) => fuseUnknown(encodeWords(words), model);
  }
  const bare = tokenizer.encode('').ids;
  const around = tokenizer.encode('a').ids;
  // The special tokens before the text: as many as the two encodings have in common at the beginning.
  let before = 0;
  while (before < bare.length && bare[before] === around[before]) before += 1;
  const encodeBare = (text: string): number[] => {
    const clean = withoutHalves(text);
    const ids: number[] = [];
    for (const piece of clean.length <= maxPieceLength ? [clean] : pieces(clean, isWordPiece)) {
      for (const id of tokenizer.encode(piece, { add_special_tokens: false }).ids) ids.push(id);
    }
    return ids;
  };
  const encode = (text: string): number[] => {
    const clean = withoutHalves(text);
    if (clean.length <= maxPieceLength) return tokenizer.encode(clean).ids;
    const ids = encodeBare(clean);
    ids.unshift(...bare.slice(0, before));
    ids.push(...bare.slice(before));
    return ids;
  };
  return {
    encode,
    encodeBare,
    count: (text) => encode(text).length,
    pairTemplate: () => readPairTemplate(tokenizer),
    unknownId: model.unk_token_id ?? 0,
  };
}

/** Half of a character is no character. */
function withoutHalves(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** Found by encoding a pair of words: every tokenizer writes its template in another way. */
function readPairTemplate(tokenizer: Tokenizer): PairTemplate {
  const [first, second] = ['one', 'two'].map((word) => tokenizer.encode(word, { add_special_tokens: false }).ids);
  const { ids, token_type_ids: types } = tokenizer.encode('one', { text_pair: 'two', return_token_type_ids: true });
  const firstStart = indexOfRun(ids, first!, 0);
  const betweenStart = firstStart + first!.length;
  const secondStart = indexOfRun(ids, second!, betweenStart);
  if (firstStart < 0 || secondStart < 0) throw new Error('it has no template for two texts');
  return {
    before: ids.slice(0, firstStart),
    between: ids.slice(betweenStart, secondStart),
    after: ids.slice(secondStart + second!.length),
    firstType: types[firstStart]!,
    betweenTypes: types.slice(betweenStart, secondStart),
    secondType: types[secondStart]!,
  };
}

function indexOfRun(ids: readonly number[], run: readonly number[], from: number): number {
  for (let start = from; start + run.length <= ids.length; start++) {
    if (run.every((id, offset) => ids[start + offset] === id)) return start;
  }
  return -1;
}

/**
 * @param wholeWords Never cut inside a word, however long: WordPiece makes one unknown token of a long word anyway.
 */
function* pieces(text: string, wholeWords: boolean): Iterable<string> {
  const space = /\s/g;
  let start = 0;
  while (text.length - start > maxPieceLength) {
    let end = start + maxPieceLength;
    while (end > start && !/\s/.test(text[end]!)) end -= 1;
    // A run of white space stays together, at the beginning of the next piece.
    while (end > start && /\s/.test(text[end - 1]!)) end -= 1;
    if (end <= start) {
      end = start + maxPieceLength;
      if (wholeWords) {
        space.lastIndex = end;
        end = space.exec(text)?.index ?? text.length;
      } else if (/[\uDC00-\uDFFF]/.test(text[end]!)) {
        end -= 1;
      }
    }
    yield text.slice(start, end);
    start = end;
  }
  if (start < text.length) yield text.slice(start);
}

/** Makes one unknown token of each row of them. */
function fuseUnknown(tokens: readonly string[], model: NonNullable<Tokenizer['model']>): string[] {
  const isUnknown = (token: string): boolean =>
    (model.tokens_to_ids.get(token) ?? model.unk_token_id) === model.unk_token_id;
  return tokens.filter((token, index) => index === 0 || !isUnknown(token) || !isUnknown(tokens[index - 1]!));
}

interface WordPieceConfig {
  readonly vocab: Readonly<Record<string, number>>;
  readonly unk_token: string;
  readonly continuing_subword_prefix?: string;
  readonly max_input_chars_per_word?: number;
}

/**
 * Greedy longest match (Schuster and Nakajima 2012), trying no piece longer than the vocabulary's longest. The
 * library's own starts each time from the rest of the word, which takes 12 seconds for a megabyte of base64.
 */
function createWordPiece(config: WordPieceConfig): (words: string[]) => string[] {
  const vocabulary = new Set(Object.keys(config.vocab));
  const prefix = config.continuing_subword_prefix ?? '##';
  const maxWordLength = config.max_input_chars_per_word ?? 100;
  const unknown = config.unk_token;
  let longest = 1;
  for (const piece of vocabulary) longest = Math.max(longest, piece.length);

  const split = (word: string): string[] | undefined => {
    const found: string[] = [];
    for (let start = 0; start < word.length; ) {
      let end = Math.min(word.length, start + longest);
      let piece: string | undefined;
      for (; end > start; end -= 1) {
        const candidate = start === 0 ? word.slice(0, end) : prefix + word.slice(start, end);
        if (vocabulary.has(candidate)) {
          piece = candidate;
          break;
        }
      }
      if (piece === undefined) return undefined;
      found.push(piece);
      start = end;
    }
    return found;
  };
  const isTooLong = (word: string): boolean =>
    word.length > maxWordLength && (word.length > 2 * maxWordLength || [...word].length > maxWordLength);

  return (words) => {
    const tokens: string[] = [];
    for (const word of words) {
      const found = isTooLong(word) ? undefined : vocabulary.has(word) ? [word] : split(word);
      if (found === undefined) tokens.push(unknown);
      else tokens.push(...found);
    }
    return tokens;
  };
}
