import { throwIfAborted } from '@aquifer/contracts';

/** One text of a slide: of a placeholder, or of a box that somebody drew. */
export interface SlideText {
  readonly isTitle: boolean;
  readonly isList: boolean;
  readonly paragraphs: readonly string[];
}

export interface OldSlide {
  readonly texts: readonly SlideText[];
  readonly notes: readonly SlideText[];
}

/** Record types (MS-PPT 2.13.24) that the text is found by. */
const types = {
  document: 0x03e8,
  slide: 0x03ee,
  notes: 0x03f0,
  notesAtom: 0x03f1,
  slidePersist: 0x03f3,
  outlineReference: 0x0f9e,
  textHeader: 0x0f9f,
  characters: 0x0fa0,
  bytes: 0x0fa8,
  slideList: 0x0ff0,
  userEdit: 0x0ff5,
  persistDirectory: 0x1772,
  textBox: 0xf00d,
};

/** Kinds of text in a text header: titles, and texts of the outline. */
const titleKinds = new Set([0, 6]);
const listKinds = new Set([1, 5, 7, 8]);
const notesKind = 2;

const maxDepth = 50;
const maxEdits = 10_000;

interface PowerPointRecord {
  readonly type: number;
  readonly instance: number;
  readonly isContainer: boolean;
  readonly start: number;
  readonly end: number;
}

/**
 * The slides of a presentation in order (MS-PPT), from its main stream. Undefined where the stream is damaged. Saving appends to the file, so
 * that old states of slides stay in it: only what the last save refers to is read.
 *
 * @param lastEdit Position of the record that the last save has written.
 */
export function readSlides(
  stream: Uint8Array,
  lastEdit: number,
  signal?: AbortSignal,
): readonly OldSlide[] | undefined {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);

  function recordAt(offset: number): PowerPointRecord | undefined {
    if (offset < 0 || offset + 8 > stream.length) return undefined;
    const version = view.getUint16(offset, true);
    const end = offset + 8 + view.getUint32(offset + 4, true);
    return {
      type: view.getUint16(offset + 2, true),
      instance: version >> 4,
      isContainer: (version & 0xf) === 0xf,
      start: offset + 8,
      end: Math.min(end, stream.length),
    };
  }

  function* childrenOf(parent: PowerPointRecord): Generator<PowerPointRecord> {
    for (let offset = parent.start; offset + 8 <= parent.end; ) {
      const record = recordAt(offset);
      if (!record) return;
      yield { ...record, end: Math.min(record.end, parent.end) };
      offset = record.end;
    }
  }

  /** Where each object of the file stands, by its persistent number; the latest save wins. */
  function persistentObjects(): { offsets: ReadonlyMap<number, number>; document: number } | undefined {
    const offsets = new Map<number, number>();
    const seen = new Set<number>();
    let document: number | undefined;
    for (let edit = lastEdit; edit !== 0 && !seen.has(edit) && seen.size < maxEdits; ) {
      seen.add(edit);
      const record = recordAt(edit);
      if (record?.type !== types.userEdit || record.end - record.start < 24) return undefined;
      document ??= view.getUint32(record.start + 16, true);
      const directory = recordAt(view.getUint32(record.start + 12, true));
      if (directory?.type !== types.persistDirectory) return undefined;
      for (let offset = directory.start; offset + 4 <= directory.end; ) {
        const entry = view.getUint32(offset, true);
        offset += 4;
        for (let index = 0; index < entry >>> 20 && offset + 4 <= directory.end; index++, offset += 4) {
          const id = (entry & 0xfffff) + index;
          if (!offsets.has(id)) offsets.set(id, view.getUint32(offset, true));
        }
      }
      edit = view.getUint32(record.start + 8, true);
    }
    return document === undefined ? undefined : { offsets, document };
  }

  const objects = persistentObjects();
  const document = objects && recordAt(objects.offsets.get(objects.document) ?? -1);
  if (!objects || document?.type !== types.document) return undefined;

  function textOf(record: PowerPointRecord, kind: number): SlideText {
    const bytes = stream.subarray(record.start, record.end);
    const text =
      record.type === types.characters
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length & ~1).toString('utf16le')
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const paragraphs = text
      .split('\r')
      .map((paragraph) => paragraph.replaceAll('\v', '\n').trim())
      // A lone asterisk stands for the number of the slide, or the date.
      .filter((paragraph) => paragraph !== '' && paragraph !== '*');
    return { isTitle: titleKinds.has(kind), isList: listKinds.has(kind), paragraphs };
  }

  /** The texts in a list of slides or notes: behind each slide's record, those of its placeholders. */
  function listed(list: PowerPointRecord): { persist: number; id: number; texts: SlideText[] }[] {
    const found: { persist: number; id: number; texts: SlideText[] }[] = [];
    let kind = -1;
    for (const record of childrenOf(list)) {
      if (record.type === types.slidePersist && record.end - record.start >= 16) {
        const [persist, id] = [view.getUint32(record.start, true), view.getUint32(record.start + 12, true)];
        found.push({ persist, id, texts: [] });
      } else if (record.type === types.textHeader && record.end - record.start >= 4) {
        kind = view.getUint32(record.start, true);
      } else if (record.type === types.characters || record.type === types.bytes) {
        found.at(-1)?.texts.push(textOf(record, kind));
      }
    }
    return found;
  }

  /** The texts on a slide in the order in which they were drawn, with those of the outline at their place. */
  function drawn(root: PowerPointRecord, outline: readonly SlideText[]): SlideText[] {
    const texts: SlideText[] = [];
    const used = new Set<number>();
    const stack: { record: PowerPointRecord; depth: number }[] = [{ record: root, depth: 0 }];
    let kind = -1;
    for (let item = stack.pop(); item; item = stack.pop()) {
      const { record, depth } = item;
      if (record.type === types.textHeader && record.end - record.start >= 4) kind = view.getUint32(record.start, true);
      else if (record.type === types.outlineReference && record.end - record.start >= 4) {
        const index = view.getUint32(record.start, true);
        const text = outline[index];
        if (text && !used.has(index)) texts.push(text);
        used.add(index);
      } else if (record.type === types.characters || record.type === types.bytes) texts.push(textOf(record, kind));
      else if (depth < maxDepth && (record.isContainer || record.type === types.textBox)) {
        for (const child of [...childrenOf(record)].reverse()) stack.push({ record: child, depth: depth + 1 });
      }
    }
    // Some programs write the outline alone.
    return [...outline.filter((_, index) => !used.has(index) && !isOf(texts, outline[index]!)), ...texts];
  }

  const slides: { id: number; texts: SlideText[]; notes: SlideText[] }[] = [];
  const lists = [...childrenOf(document)].filter(({ type }) => type === types.slideList);
  const read = new Set<number>();
  for (const { persist, id, texts } of lists.filter(({ instance }) => instance === 0).flatMap(listed)) {
    throwIfAborted(signal);
    const offset = objects.offsets.get(persist);
    const record = offset === undefined || read.has(offset) ? undefined : recordAt(offset);
    if (offset !== undefined) read.add(offset);
    slides.push({ id, texts: record?.type === types.slide ? drawn(record, texts) : texts, notes: [] });
  }
  const byId = new Map(slides.map((slide) => [slide.id, slide]));
  for (const { persist } of lists.filter(({ instance }) => instance === 2).flatMap(listed)) {
    throwIfAborted(signal);
    const record = recordAt(objects.offsets.get(persist) ?? -1);
    if (record?.type !== types.notes || read.has(record.start)) continue;
    read.add(record.start);
    const atom = [...childrenOf(record)].find(({ type }) => type === types.notesAtom);
    const slide = atom && byId.get(view.getUint32(atom.start, true));
    slide?.notes.push(...notesOf(record));
  }
  return slides;

  /** Texts of notes alone: the page of notes also has headers and footers. */
  function notesOf(root: PowerPointRecord): SlideText[] {
    const texts: SlideText[] = [];
    const stack: { record: PowerPointRecord; depth: number }[] = [{ record: root, depth: 0 }];
    let kind = -1;
    for (let item = stack.pop(); item; item = stack.pop()) {
      const { record, depth } = item;
      if (record.type === types.textHeader && record.end - record.start >= 4) kind = view.getUint32(record.start, true);
      else if (record.type === types.characters || record.type === types.bytes) {
        if (kind === notesKind) texts.push(textOf(record, kind));
      } else if (depth < maxDepth && (record.isContainer || record.type === types.textBox)) {
        for (const child of [...childrenOf(record)].reverse()) stack.push({ record: child, depth: depth + 1 });
      }
    }
    return texts;
  }
}

function isOf(texts: readonly SlideText[], text: SlideText): boolean {
  return texts.some((one) => one.paragraphs.join('\n') === text.paragraphs.join('\n'));
}
