import { AquiferError, throwIfAborted } from '@aquifer/contracts';
import { createTextFlow, type FlowOutput, type ParagraphLook, type TextFlow } from '../text-flow.js';
import { codePageOfCharset, decodeCodePage, symbolCharset } from './rtf-code-pages.js';
import { walkRtf } from './rtf-tokens.js';

export interface RtfDocument {
  readonly body: readonly FlowOutput[];
  readonly notes: readonly (readonly FlowOutput[])[];
  /** What `\info` says, by its control words; times in ISO order. */
  readonly info: ReadonlyMap<string, string>;
  /** False where groups are left open: the file was cut off. */
  readonly isComplete: boolean;
}

const maxDepth = 10_000;

/** Bytes that are kept until they are decoded together. */
const maxPending = 4096;

/** Where the text of a group goes. */
type Target = 'body' | 'nowhere' | 'marker' | 'style' | 'font' | `info ${string}`;

/** Groups that hold no text of the document, or hold it a second time for older programs. */
const silent = new Set(
  (
    'colortbl pict nonshppict object header headerl headerr headerf footer footerl footerr footerf annotation atnid atnauthor ' +
    'xe tc tcn rxe sp sn sv shprslt bkmkstart bkmkend fldinst ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn revtbl upr pn ' +
    'nonesttables info themedata colorschememapping datastore latentstyles listtable listoverridetable generator ' +
    'pntxta pntxtb filetbl xmlnstbl template formfield datafield mmathPr nesttableprops'
  ).split(' '),
);

/** Groups that begin with `\*` (to be skipped by those who do not know them) and yet hold text. */
const knownExtensions = new Set(['shpinst', 'shptxt', 'ud', 'do', 'dptxbxtext', 'fonttbl']);

const characters: Readonly<Record<string, string>> = {
  tab: ' ',
  line: '\n',
  lbr: '\n',
  emdash: '—',
  endash: '–',
  lquote: '‘',
  rquote: '’',
  ldblquote: '“',
  rdblquote: '”',
  bullet: '•',
  emspace: ' ',
  enspace: ' ',
  qmspace: ' ',
  '~': '\u00a0',
  _: '\u2011',
};

const infoTexts = new Set(['title', 'subject', 'author', 'doccomm']);
const infoTimes = new Set(['creatim', 'revtim']);

interface Group {
  target: Target;
  font: number | undefined;
  /** How many characters stand for a `\u` in programs that do not know Unicode. */
  fallbackLength: number;
  isHidden: boolean;
  style: number | undefined;
  outline: number | undefined;
  list: number | undefined;
  listLevel: number;
  inTable: boolean;
  tableDepth: number;
  /** Set in a group that is a flow of its own. */
  flow: 'note' | 'box' | undefined;
  /** Whether groups inside are properties of the document, such as its title. */
  isInfo: boolean;
  /** Where text went around a `\upr`, of which only the Unicode half is read. */
  around: { readonly target: Target; readonly isInfo: boolean };
}

interface Style {
  name: string;
  outline: number | undefined;
  basedOn: number | undefined;
}

/**
 * The text of an RTF file with its structure (Rich Text Format 1.9.1). Never fails on what it does not know.
 *
 * @throws `invalid-document` for groups nested deeper than any program writes, `aborted`.
 */
export function readRtf(bytes: Uint8Array, name: string, signal?: AbortSignal): RtfDocument {
  const groups: Group[] = [];
  let group: Group = {
    target: 'body',
    font: undefined,
    fallbackLength: 1,
    isHidden: false,
    style: undefined,
    outline: undefined,
    list: undefined,
    listLevel: 0,
    inTable: false,
    tableDepth: 1,
    flow: undefined,
    isInfo: false,
    around: { target: 'body', isInfo: false },
  };
  const flows: TextFlow[] = [createTextFlow()];
  const notes: FlowOutput[][] = [];
  const info = new Map<string, string>();
  const styles = new Map<number, Style>();
  const fontPages = new Map<number, number>();
  const symbolFonts = new Set<number>();
  let time: number[] = [];
  let ansiPage = 1252;
  let defaultFont: number | undefined;
  let definedFont = 0;
  let definedStyle: Style = { name: '', outline: undefined, basedOn: undefined };
  /** Bytes of text that have not been decoded yet: a character may take two. */
  let pending: number[] = [];
  let highSurrogate = 0;
  let fallbackLeft = 0;
  let isExtension = false;
  let isGroupStart = false;
  let row = { isHeader: false, continuesAbove: [] as boolean[], continues: false };

  const flow = () => flows.at(-1)!;

  function put(text: string): void {
    const { target } = group;
    if (target === 'nowhere' || group.isHidden) return;
    if (target === 'body') flow().addText(text);
    else if (target === 'marker') flow().addMarker(text);
    else if (target === 'style') definedStyle.name = (definedStyle.name + text).slice(0, 200);
    else if (target.startsWith('info ')) {
      const key = target.slice(5);
      info.set(key, ((info.get(key) ?? '') + text).slice(0, 10_000));
    }
  }

  function flush(): void {
    if (pending.length === 0) return;
    const font = group.font ?? defaultFont;
    const text = pending;
    pending = [];
    if (group.target === 'nowhere') return;
    if (font !== undefined && symbolFonts.has(font)) put(text.includes(0xb7) ? '•' : asSymbols(text));
    else if (text.length <= 64 && text.every((byte) => byte < 0x80)) put(String.fromCharCode(...text));
    else put(decodeCodePage(Uint8Array.from(text), (font === undefined ? undefined : fontPages.get(font)) ?? ansiPage));
  }

  function putUnit(unit: number): void {
    flush();
    // Fonts of symbols keep them at U+F020 and on.
    if (unit >= 0xf020 && unit <= 0xf0ff) put(unit === 0xf0b7 ? '•' : '');
    else if (unit >= 0xd800 && unit < 0xdc00) highSurrogate = unit;
    else if (unit >= 0xdc00 && unit < 0xe000) {
      if (highSurrogate !== 0) put(String.fromCharCode(highSurrogate, unit));
      highSurrogate = 0;
    } else put(String.fromCharCode(unit));
  }

  function look(): ParagraphLook {
    const isItem = group.list !== undefined && group.list > 0;
    return {
      heading: group.outline !== undefined ? Math.min(group.outline + 1, 6) : headingOfStyle(styles, group.style),
      list: isItem ? group.listLevel + 1 : undefined,
      inTable: group.inTable,
      isContents: contentsName.test((group.style === undefined ? '' : (styles.get(group.style)?.name ?? '')).trim()),
    };
  }

  function beginFlow(kind: 'note' | 'box'): void {
    flows.push(createTextFlow());
    group = {
      ...group,
      target: 'body',
      flow: kind,
      style: undefined,
      outline: undefined,
      list: undefined,
      inTable: false,
      isHidden: false,
    };
  }

  function endFlow(kind: 'note' | 'box'): void {
    const outputs = flows.pop()!.finish(look());
    if (kind === 'box') flow().addOutputs(outputs);
    else notes.push(outputs.map((output, index) => (index === 0 ? withNumber(output, notes.length + 1) : output)));
  }

  /** Takes a control word for the beginning of a group of its own kind. Returns whether it is one. */
  function beginGroup(word: string): boolean {
    if (word === 'ud') {
      group.target = group.around.target;
      group.isInfo = group.around.isInfo;
      return true;
    }
    if (word === 'upr') {
      group.around = { target: group.target, isInfo: group.isInfo };
      group.isInfo = false;
    } else if (word === 'info') group.isInfo = true;
    else if (group.isInfo && (infoTexts.has(word) || infoTimes.has(word))) {
      // Some programs write the last author under the same word.
      if (!info.has(word)) group.target = `info ${word}`;
      time = [];
      return true;
    }
    if (group.target === 'nowhere' && word !== 'shptxt') return true;
    if (word === 'footnote') beginFlow('note');
    else if (word === 'shptxt' || word === 'dptxbxtext') beginFlow('box');
    else if (word === 'fonttbl') group.target = 'font';
    else if (word === 'stylesheet') group.target = 'style';
    else if (word === 'listtext' || word === 'pntext') group.target = 'marker';
    else if (silent.has(word) || (isExtension && !knownExtensions.has(word))) group.target = 'nowhere';
    else return isExtension;
    return true;
  }

  function control(word: string, parameter: number | undefined): void {
    if (word === '*') {
      isExtension = isGroupStart;
      return;
    }
    const wasStart = isGroupStart;
    isGroupStart = false;
    if (word === 'u') {
      fallbackLeft = 0;
      putUnit((parameter ?? 0) & 0xffff);
      fallbackLeft = group.fallbackLength;
      return;
    }
    if (fallbackLeft > 0) {
      fallbackLeft--;
      return;
    }
    flush();
    if (wasStart && beginGroup(word)) {
      isExtension = false;
      return;
    }
    isExtension = false;
    const text = characters[word];
    if (text !== undefined) {
      put(text);
      return;
    }
    const isOn = parameter !== 0;
    switch (word) {
      case 'par':
      case 'sect':
      case 'page':
      case 'column':
        if (group.target === 'body' && !group.isHidden) flow().endParagraph(look());
        else put(' ');
        break;
      case 'cell':
        if (group.target === 'body') flow().endCell(look());
        break;
      case 'nestcell':
      case 'nestrow':
        if (group.target === 'body') flow().endInnerCell();
        break;
      case 'row':
        if (group.target === 'body') flow().endRow(row);
        break;
      case 'trowd':
        row = { isHeader: false, continuesAbove: [], continues: false };
        break;
      case 'trhdr':
        row.isHeader = true;
        break;
      case 'clvmrg':
        row.continues = true;
        break;
      case 'cellx':
        if (row.continuesAbove.length < 1000) row.continuesAbove.push(row.continues);
        row.continues = false;
        break;
      case 'pard':
        group.style = undefined;
        group.outline = undefined;
        group.list = undefined;
        group.listLevel = 0;
        group.inTable = false;
        group.tableDepth = 1;
        break;
      case 'intbl':
        group.inTable = true;
        break;
      case 'plain':
        group.isHidden = false;
        group.font = undefined;
        break;
      case 'v':
      case 'deleted':
        group.isHidden = isOn;
        break;
      case 's':
        group.style = parameter;
        if (group.target === 'style') {
          definedStyle = { name: '', outline: undefined, basedOn: undefined };
          if (parameter !== undefined) styles.set(parameter, definedStyle);
        }
        break;
      case 'sbasedon':
        definedStyle.basedOn = parameter;
        break;
      case 'outlinelevel': {
        const level = parameter !== undefined && parameter >= 0 && parameter <= 8 ? parameter : undefined;
        if (group.target === 'style') definedStyle.outline = level;
        else group.outline = level;
        break;
      }
      case 'ls':
        group.list = parameter;
        break;
      case 'ilvl':
        group.listLevel = Math.min(8, Math.max(0, parameter ?? 0));
        break;
      case 'f':
        if (group.target === 'font') definedFont = parameter ?? 0;
        else group.font = parameter;
        break;
      case 'deff':
        defaultFont = parameter;
        break;
      case 'fcharset': {
        const page = codePageOfCharset(parameter ?? 1);
        if (parameter === symbolCharset) symbolFonts.add(definedFont);
        else if (page !== undefined) fontPages.set(definedFont, page);
        break;
      }
      case 'cpg':
        if (group.target === 'font' && parameter !== undefined) fontPages.set(definedFont, parameter);
        break;
      case 'ansicpg':
        if (parameter) ansiPage = parameter;
        break;
      case 'mac':
        ansiPage = 10000;
        break;
      case 'uc':
        group.fallbackLength = Math.min(Math.max(parameter ?? 1, 0), 100);
        break;
      case 'chftn':
        if (flows.length === 1) put(`[${notes.length + 1}]`);
        break;
      case 'yr':
      case 'mo':
      case 'dy':
      case 'hr':
      case 'min':
        time[['yr', 'mo', 'dy', 'hr', 'min'].indexOf(word)] = parameter ?? 0;
        break;
    }
  }

  function open(): void {
    flush();
    fallbackLeft = 0;
    if (groups.length >= maxDepth) {
      throw new AquiferError(
        'invalid-document',
        `${name} is damaged: it has more than ${maxDepth} groups inside each other. Open it and save it again.`,
      );
    }
    groups.push(group);
    group = { ...group, flow: undefined };
    isGroupStart = true;
    isExtension = false;
  }

  function close(): void {
    flush();
    fallbackLeft = 0;
    isGroupStart = false;
    const key = group.target.startsWith('info ') ? group.target.slice(5) : '';
    if (infoTimes.has(key) && time[0]) info.set(key, isoTime(time));
    if (group.flow) endFlow(group.flow);
    group = groups.pop() ?? group;
  }

  walkRtf(
    bytes,
    {
      open,
      close,
      control,
      byte(byte, isEscaped) {
        isGroupStart = false;
        if (fallbackLeft > 0) fallbackLeft--;
        else if (group.target === 'style' && byte === 0x3b && !isEscaped) flush();
        else if (group.target !== 'nowhere' && group.target !== 'font') {
          pending.push(byte);
          // A space is never the second byte of a character.
          if (byte === 0x20 && pending.length > maxPending) flush();
        }
      },
    },
    () => throwIfAborted(signal),
  );
  flush();
  const isComplete = groups.length === 0;
  while (groups.length > 0) close();
  const body = flows[0]!.finish(look());
  for (const [key, value] of info) info.set(key, value.replace(/\s+/g, ' ').trim());
  return { body, notes, info, isComplete };
}

const headingName = /^(?:heading|überschrift|titre|título|titolo|見出し|标题|標題|제목)\s*([1-6])$/i;
const titleName = /^(?:title|titel|表題|标题|標題|제목)$/i;
const contentsName = /^(?:toc|目次)\s*\d$/i;
const maxAncestors = 20;

function headingOfStyle(styles: ReadonlyMap<number, Style>, number: number | undefined): number | undefined {
  let style = number === undefined ? undefined : styles.get(number);
  for (let depth = 0; style && depth < maxAncestors; depth++) {
    if (style.outline !== undefined) return Math.min(style.outline + 1, 6);
    const name = style.name.trim();
    const byName = headingName.exec(name)?.[1] ?? (titleName.test(name) ? '1' : undefined);
    if (byName !== undefined) return Number(byName);
    style = style.basedOn === undefined ? undefined : styles.get(style.basedOn);
  }
  return undefined;
}

function withNumber(output: FlowOutput, number: number): FlowOutput {
  return 'rows' in output ? output : { ...output, text: `[${number}] ${output.text}` };
}

/** Letters and digits of a font of symbols are still typed by people at times; the rest are pictures. */
function asSymbols(bytes: readonly number[]): string {
  return bytes.map((byte) => (byte === 0x20 ? ' ' : '')).join('');
}

function isoTime([year = 0, month = 1, day = 1, hour, minute]: readonly number[]): string {
  const two = (value: number) => String(Math.abs(value)).padStart(2, '0');
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  return hour === undefined ? date : `${date}T${two(hour)}:${two(minute ?? 0)}`;
}
