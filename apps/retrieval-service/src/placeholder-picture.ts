import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

/** Five rows of three dots for each character, a row being an octal digit: A is 010 101 111 101 101. */
const glyphs: Readonly<Record<string, string>> = {
  ...{ 0: '75557', 1: '26227', 2: '71747', 3: '71717', 4: '55711', 5: '74717', 6: '74757', 7: '71111', 8: '75757' },
  ...{ 9: '75717', A: '25755', B: '65656', C: '34443', D: '65556', E: '74647', F: '74644', G: '34553', H: '55755' },
  ...{ I: '72227', J: '11152', K: '55655', L: '44447', M: '57755', N: '65555', O: '25552', P: '65644', Q: '25563' },
  ...{ R: '65655', S: '34216', T: '72222', U: '55557', V: '55552', W: '55775', X: '55255', Y: '55222', Z: '71247' },
  ...{ '.': '00002', ',': '00024', ':': '02020', '-': '00700', '/': '11244', '(': '12221', ')': '42224' },
  ...{ "'": '22000', '?': '61202', '!': '22202', _: '00007', '+': '02720', '=': '07070', ' ': '00000' },
};
/** For characters that are not drawn. */
const block = '77777';
const columns = 4;
const rows = 7;
const mostPromptCharacters = 240;

export interface PlaceholderPicture {
  readonly modelId: string;
  readonly prompt: string;
  readonly negativePrompt?: string;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
}

/**
 * A PNG that says what it stands for: that no model made it, what was asked for, with which seed. Equal requests give equal bytes; the colours belong to
 * prompt and seed.
 */
export function drawPlaceholder(picture: PlaceholderPicture): Uint8Array {
  const { modelId, prompt, negativePrompt, width, height, seed } = picture;
  const [red = 0, green = 0, blue = 0] = createHash('sha256')
    .update(JSON.stringify([prompt, negativePrompt, seed]))
    .digest();
  const scale = Math.max(1, Math.floor(Math.min(width, height) / 256));
  const lineLength = Math.floor(width / (columns * scale)) - 4;
  const lines = [
    'AQUIFER, LOCAL EMULATOR',
    'NO MODEL MADE THIS PICTURE',
    '',
    `MODEL: ${modelId}`,
    `SEED: ${seed}  SIZE: ${width} X ${height}`,
    `PROMPT: ${prompt.slice(0, mostPromptCharacters)}`,
    ...(negativePrompt ? [`WITHOUT: ${negativePrompt.slice(0, mostPromptCharacters)}`] : []),
  ].flatMap((line) => wrapped(line.toUpperCase().replace(/\s+/g, ' '), Math.max(8, lineLength)));

  // A row is a filter byte and one byte a dot: 0 is the ground, 1 the writing.
  const stride = width + 1;
  const dots = Buffer.alloc(stride * height);
  const paint = (left: number, top: number, right: number, bottom: number) => {
    for (let y = Math.max(0, top); y < Math.min(height, bottom); y++) {
      dots.fill(1, y * stride + 1 + Math.min(left, width), y * stride + 1 + Math.min(right, width));
    }
  };
  for (const [line, text] of lines.entries()) {
    for (const [index, character] of [...text].entries()) {
      for (const [row, digit] of [...(glyphs[character] ?? block)].entries()) {
        for (let column = 0; column < 3; column++) {
          if (((Number(digit) >> (2 - column)) & 1) === 0) continue;
          const x = (2 + index) * columns * scale + column * scale;
          const y = (line + 1) * rows * scale + row * scale;
          paint(x, y, x + scale, y + scale);
        }
      }
    }
  }
  // Dark enough for white writing.
  const palette = Buffer.from([red >> 1, green >> 1, blue >> 1, 255, 255, 255]);
  return png(width, height, palette, dots);
}

function wrapped(text: string, length: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => each.match(new RegExp(`.{1,${length}}`, 'gsu')) ?? [''])) {
    if (line !== '' && line.length + 1 + word.length > length) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Indexed colour, 8 bits a dot. Source: https://www.w3.org/TR/png-3/ */
function png(width: number, height: number, palette: Buffer, dots: Buffer): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(dots, { level: 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}
