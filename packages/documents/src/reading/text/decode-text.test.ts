import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createSeededRandom, sharedFile } from '@aquifer/contracts/testing';
import { encodeText } from '../../testing/encode-text.js';
import { decodeText, readText } from './decode-text.js';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));

/** A few words and a paragraph of each language, and the encodings that its files come in. */
const languages: readonly {
  readonly name: string;
  readonly texts: readonly string[];
  readonly encodings: readonly string[];
}[] = [
  {
    name: 'English',
    texts: ['naïve café', 'The café’s owners said “yes” – twice – and changed the menu on 3 May.'],
    encodings: ['windows-1252'],
  },
  {
    name: 'German',
    texts: ['für Käufer', 'Straße', 'Über die Größe der Häuser müssen wir später sprechen, ärgerte sich der Käufer.'],
    encodings: ['windows-1252'],
  },
  {
    name: 'French',
    texts: ['déjà vu', 'garçon', 'L’élève a été reçu à l’école où il étudiait déjà : « très bien ! »'],
    encodings: ['windows-1252'],
  },
  {
    name: 'Spanish',
    texts: ['año', '¿Cómo estás?', 'El niño pequeño no quiere más café mañana por la mañana, ¿verdad?'],
    encodings: ['windows-1252'],
  },
  {
    name: 'Portuguese',
    texts: ['São Paulo', 'As ações não são boas, mas a situação é ótima.'],
    encodings: ['windows-1252'],
  },
  {
    name: 'Polish',
    texts: ['Łódź', 'Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.'],
    encodings: ['windows-1250', 'iso-8859-2'],
  },
  {
    name: 'Czech',
    texts: ['Děkuji', 'Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Příliš žluťoučký kůň.'],
    encodings: ['windows-1250', 'iso-8859-2'],
  },
  {
    name: 'Hungarian',
    texts: ['Az időjárás jövőre is jó lesz, őszintén. Minden ember egyenlő méltósága és joga van.'],
    encodings: ['windows-1250'],
  },
  {
    name: 'Turkish',
    texts: ['Teşekkür ederim', 'Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Çalışıyor mu?'],
    encodings: ['windows-1254'],
  },
  {
    name: 'Lithuanian',
    texts: ['Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis. Jiems suteiktas protas ir sąžinė.'],
    encodings: ['windows-1257'],
  },
  {
    name: 'Russian',
    texts: [
      'Привет',
      'Москва, 2024 г.',
      'Все люди рождаются свободными и равными в своём достоинстве и правах. Отпуск: 52 недели.',
    ],
    encodings: ['windows-1251', 'koi8-r', 'iso-8859-5', 'ibm866'],
  },
  {
    name: 'Ukrainian',
    texts: ['Україна', 'Всі люди народжуються вільними і рівними у своїй гідності та правах.'],
    encodings: ['windows-1251', 'koi8-u'],
  },
  {
    name: 'Greek',
    texts: ['Αθήνα', 'καλημέρα', 'Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια.'],
    encodings: ['windows-1253', 'iso-8859-7'],
  },
  {
    name: 'Hebrew',
    texts: ['כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.'],
    encodings: ['windows-1255'],
  },
  {
    name: 'Arabic',
    texts: ['مرحبا', 'يولد جميع الناس أحرارا متساوين في الكرامة والحقوق.'],
    encodings: ['windows-1256'],
  },
  {
    name: 'Thai',
    texts: ['มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ'],
    encodings: ['windows-874'],
  },
  {
    name: 'Japanese',
    texts: [
      '東京',
      '日本語',
      'カタカナ',
      '会議 議事録',
      '株式会社山田製作所',
      '育児休業は52週間です。',
      'すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。',
    ],
    encodings: ['shift_jis', 'euc-jp', 'iso-2022-jp'],
  },
  {
    name: 'simplified Chinese',
    texts: ['你好', '北京市', '公司员工手册', '育儿假为52周。', '人人生而自由，在尊严和权利上一律平等。'],
    encodings: ['gb18030'],
  },
  {
    name: 'traditional Chinese',
    texts: ['你好', '台北市', '公司員工手冊', '育嬰假為52週。', '人人生而自由，在尊嚴和權利上一律平等。'],
    encodings: ['big5'],
  },
  {
    name: 'Korean',
    texts: [
      '한국어',
      '서울',
      '안녕하세요',
      '육아휴직은 52주입니다.',
      '모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.',
    ],
    encodings: ['euc-kr'],
  },
];

describe('decodeText', () => {
  for (const { name, texts, encodings } of languages) {
    it(`reads ${name} in ${encodings.join(', ')}, also a few words`, () => {
      for (const encoding of encodings) {
        for (const text of texts) {
          assert.equal(decodeText(encodeText(text, encoding)), text, `${encoding}: ${text}`);
          // As it mostly stands in files: among English, with line ends.
          const line = `Note (2024):\r\n${text}\r\n\tend\r\n`;
          assert.equal(decodeText(encodeText(line, encoding)), line, encoding);
        }
      }
    });

    it(`reads ${name} in UTF-8, UTF-16 and UTF-32, with and without a byte order mark`, () => {
      for (const text of texts) {
        for (const encoding of ['utf-8', 'utf-16le', 'utf-16be', 'utf-32le', 'utf-32be']) {
          const lines = `${text}\n${text}\n`;
          assert.equal(decodeText(encodeText(lines, encoding)), lines, encoding);
          assert.equal(decodeText(encodeText(`\ufeff${text}`, encoding)), text, encoding);
        }
      }
    });
  }

  it('reads UTF-8, also with a broken byte in it', () => {
    assert.equal(decodeText(Buffer.from('naïve 日本')), 'naïve 日本');
    const broken = Buffer.concat([Buffer.from('日本語の文'.repeat(40)), Buffer.from([0xff]), Buffer.from('です')]);
    assert.equal(decodeText(broken), `${'日本語の文'.repeat(40)}\ufffdです`);
  });

  it('reads short UTF-8 with a broken byte, or cut off in the middle of a character', () => {
    const japanese = '申請書は人事部へ提出してください。';
    for (let length = 5; length <= 100; length++) {
      const text = japanese.repeat(6).slice(0, length);
      for (const cut of [1, 2]) {
        const bytes = Buffer.concat([Buffer.from(text), Buffer.from('限').subarray(0, cut)]);
        assert.equal(decodeText(bytes), `${text}\ufffd`, `${text} and ${cut} bytes`);
      }
      const broken = Buffer.concat([Buffer.from(text), Buffer.from([0xff]), Buffer.from(' end')]);
      assert.equal(decodeText(broken), `${text}\ufffd end`);
    }
    const german = 'Über die größere Straße fährt der Bus. ';
    for (const end of [0xff, 0xe4, 0xc3]) {
      assert.equal(decodeText(Buffer.concat([Buffer.from(german), Buffer.from([end])])), `${german}\ufffd`);
    }
  });

  it('takes no short text in another encoding for UTF-8 because some of its bytes would be', () => {
    for (const [encoding, text] of [
      ['windows-1252', 'CAFÉ’S À LA CARTE, THÉ'],
      ['windows-1252', 'Café'],
      ['windows-1250', 'OR NÍŽE NA Ř'],
      ['iso-8859-2', 'UKONČÍŠ A ZNOVU SPUSTÍŠ EDITOR'],
      ['gb18030', '替换模式'],
      ['gb18030', '中大部分'],
      ['big5', '請使用下'],
      ['euc-kr', ' 넣기가'],
      ['shift_jis', 'には大文'],
      ['euc-jp', '単位で削'],
      ['euc-jp', 'の間違い'],
      ['ibm866', 'тки со'],
      ['windows-874', 'มน เทงเจคาซัคสถาน กี'],
    ] as const) {
      assert.doesNotMatch(decodeText(encodeText(text, encoding)), /\ufffd/, `${encoding}: ${text}`);
    }
    assert.equal(decodeText(encodeText('メニューを使用', 'shift_jis')), 'メニューを使用');
  });

  it('finds the encoding by what stands after pages of ASCII', () => {
    const ascii = 'Nothing but plain words in this line.\n'.repeat(5000);
    const text = `${ascii}そして日本語の一行です。\n${ascii}最後の行。`;
    assert.equal(decodeText(encodeText(text, 'shift_jis')), text);
  });

  it('believes a declaration of a legacy encoding, not one of an unknown or of one that is only there to be refused', () => {
    assert.equal(decodeText(bytes('cf f0 e8 e2 e5 f2'), 'windows-1251'), 'Привет');
    assert.equal(decodeText(Buffer.from('日本'), 'shift_jis'), '日本');
    for (const label of ['klingon', 'utf-16', 'hz-gb-2312']) assert.equal(decodeText(Buffer.from('é'), label), 'é');
  });

  it('does not take ASCII for two-byte characters, nor colours of a terminal for Japanese', () => {
    for (const text of ['Bush hid the facts', '\x1b[31mred\x1b[0m', 'a'])
      assert.equal(decodeText(Buffer.from(text)), text);
  });
});

describe('readText', () => {
  const random = createSeededRandom(7);
  const randomBytes = (length: number, least: number) =>
    Uint8Array.from({ length }, () => least + Math.floor(random.next() * (256 - least)));

  it('refuses what is not text in any encoding, saying what it is', () => {
    for (let index = 0; index < 20; index++) {
      for (const sample of [randomBytes(4000, 0), randomBytes(4000, 0x20)]) {
        assert.throws(() => readText({ bytes: sample, name: 'noise.txt' }), {
          code: 'unsupported-format',
          message: /^noise\.txt is binary data, not text/,
        });
      }
    }
    const png = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');
    assert.throws(() => readText({ bytes: png, name: 'notes.txt' }), { message: /notes\.txt is a PNG image/ });
    const late = Buffer.concat([Buffer.from('Text at first.\n'.repeat(1000)), randomBytes(20_000, 0)]);
    assert.throws(() => readText({ bytes: late, name: 'late.txt' }), { message: /late\.txt is binary data/ });
  });

  it('reads a text with a few NULs without them', () => {
    const log = '申請 2025-03-01 pump running\n'.repeat(100);
    const cut = Buffer.from(`${log}pump st\0${'\0'.repeat(50)}\n${log}`);
    assert.equal(readText({ bytes: cut, name: 'pump.log' }), `${log}pump st\n${log}`);
    const lower = 'the pump was checked and the filter was\0 changed';
    assert.equal(readText({ bytes: Buffer.from(lower), name: 'a.txt' }), lower.replace('\0', ''));
  });

  it('says how to convert text of a mainframe', () => {
    // "HELLO WORLD, THIS IS A TEST" in EBCDIC.
    const text = bytes('c8c5d3d3d6 40 e6d6d9d3c4 6b 40 e3c8c9e2 40 c9e2 40 c1 40 e3c5e2e3');
    assert.throws(() => readText({ bytes: text, name: 'jobs.txt' }), { message: /jobs\.txt .*EBCDIC.*iconv/ });
    const { path, ...skip } = sharedFile(
      'documents/text/english.cp500.txt',
      import.meta.url,
      process.env.AQUIFER_SHARED,
    );
    if (!skip.skip) assert.throws(() => readText({ bytes: readFileSync(path), name: 'a.txt' }), { message: /EBCDIC/ });
  });

  it('reads text with a few bytes of no encoding, and drawings of old terminals', () => {
    assert.match(readText({ bytes: bytes('6162 ff fe fd 6364'), name: 'a.txt' }), /^ab.*cd$/);
    const drawing = Buffer.from(
      `\xda${'\xc4'.repeat(20)}\xbf\n${'\xb3 a table of an old program \xb3\n'.repeat(9)}`,
      'latin1',
    );
    assert.match(readText({ bytes: drawing, name: 'a.txt' }), /a table of an old program/);
  });
});
