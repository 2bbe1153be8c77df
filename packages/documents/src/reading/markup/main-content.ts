import {
  attribute,
  elementsOf,
  isBlock,
  isElement,
  isText,
  type MarkupElement,
  type MarkupNode,
  type MarkupParent,
} from './parse-markup.js';

export interface MainContent {
  /** Where to read, in order. */
  readonly roots: readonly MarkupParent[];
  /** What to leave out inside: navigation, banners, what is hidden. */
  readonly skip: (element: MarkupElement) => boolean;
}

/** Characters that are not white space, all and inside links, of an element with everything in it. */
interface Weight {
  readonly text: number;
  readonly linked: number;
  readonly links: number;
}

const noWeight: Weight = { text: 0, linked: 0, links: 0 };

/** Landmarks around the content (WAI-ARIA 1.2, 5.3.4) and things that float over it. */
const surroundingRoles = new Set(
  'alertdialog banner complementary contentinfo dialog menu menubar navigation search toolbar tooltip'.split(' '),
);

const navigationName =
  /(?:^|[-_ ])(?:nav|navbar|navigation|menu|sidebar|breadcrumbs?|footer|pagination|pager|skip-?links?)(?:$|[-_ ])/i;
const bannerName =
  /(?:cookies?|consent|gdpr)[-_]?(?:banner|bar|consent|dialog|manager|message|modal|notice|overlay|popup)|(?:banner|notice)[-_]?(?:cookies?|consent)/i;
const unweighed = new Set(['script', 'style', 'template', 'noscript', 'head', 'svg', 'iframe', 'select', 'textarea']);

/**
 * Finds the content of a page: `main` and `article` where the page marks them and they hold enough of its text, else
 * everything but navigation. Decided by marks and by the share of text inside links, never by a page's looks; when in
 * doubt, text stays.
 */
export function findMainContent(document: MarkupParent): MainContent {
  const weights = weigh(document);
  const weightOf = (node: MarkupParent) => weights.get(node) ?? noWeight;
  const body = first(document, (element) => element.tagName === 'body') ?? document;
  const total = weightOf(body).text;

  const isMain = (element: MarkupElement) => element.tagName === 'main' || roleOf(element) === 'main';
  const marked = outermost(body, isMain);
  const articles = outermost(body, (element) => element.tagName === 'article' || roleOf(element) === 'article');
  const share = (elements: readonly MarkupElement[]) =>
    elements.reduce((sum, element) => sum + weightOf(element).text - weightOf(element).linked, 0) /
    Math.max(1, total - weightOf(body).linked);
  // A page's own word counts unless nearly everything stands elsewhere; a lone article may be a teaser among others.
  const roots = share(marked) >= 0.2 ? marked : share(articles) >= 0.5 ? articles : [body];
  const isMarked = roots[0] !== body;

  const headings = [...elementsOf(document)].filter((element) => element.tagName === 'h1');
  const headers = new Set<MarkupElement>();
  for (const element of elementsOf(body)) {
    if ((element.tagName === 'header' || element.tagName === 'footer') && !isInSection(element)) headers.add(element);
  }
  // A page's only main heading often stands in its header.
  const [onlyHeading] = headings;
  const headerOfHeading =
    headings.length === 1 && onlyHeading ? ancestors(onlyHeading).find((item) => headers.has(item)) : undefined;

  function skip(element: MarkupElement): boolean {
    if (isHidden(element) || element.tagName === 'nav') return true;
    if (isMain(element)) return false;
    if (surroundingRoles.has(roleOf(element))) return true;
    const { text, linked, links } = weightOf(element);
    if (element.tagName === 'aside') return !isInSection(element) || linked * 2 > text;
    if (element === headerOfHeading) return false;
    if (headers.has(element)) return true;
    if (!isBlock(element) || text === 0 || text * 2 > total) return false;
    const name = `${attribute(element, 'id') ?? ''} ${attribute(element, 'class') ?? ''}`;
    if (bannerName.test(name) && text < 3000 && text * 3 < total) return true;
    if (navigationName.test(name) && linked * 2 > text) return true;
    return !isMarked && links >= 4 && linked * 10 >= text * 8 && element.tagName !== 'td' && element.tagName !== 'tr';
  }
  return { roots, skip };
}

/** Whether a page hides an element from readers. */
export function isHidden(element: MarkupElement): boolean {
  // The panels behind the first tab are hidden until somebody opens them.
  if (attribute(element, 'role') === 'tabpanel') return false;
  for (const { name, value } of element.attrs) {
    if (name === 'hidden' && value !== 'until-found') return true;
    if (name === 'aria-hidden' && value === 'true') return true;
    if (name === 'style' && /(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(value)) return true;
  }
  return element.tagName === 'dialog' && attribute(element, 'open') === undefined;
}

/** Weighs every element in one pass: children before their parents. */
function weigh(document: MarkupParent): Map<MarkupParent, Weight> {
  const weights = new Map<MarkupParent, Weight>();
  const stack: { node: MarkupParent; isLeft: boolean }[] = [{ node: document, isLeft: false }];
  for (let item = stack.pop(); item; item = stack.pop()) {
    const { node, isLeft } = item;
    if (!isLeft) {
      stack.push({ node, isLeft: true });
      for (const child of node.childNodes) {
        if (isElement(child) && !unweighed.has(child.tagName) && !isHidden(child))
          stack.push({ node: child, isLeft: false });
      }
      continue;
    }
    let text = 0;
    let linked = 0;
    let links = 0;
    for (const child of node.childNodes) {
      if (isText(child)) text += countVisible(child.value);
      const weight = isElement(child) ? weights.get(child) : undefined;
      if (!weight) continue;
      text += weight.text;
      linked += weight.linked;
      links += weight.links;
    }
    const isLink = isElement(node as MarkupNode) && (node as MarkupElement).tagName === 'a';
    weights.set(node, isLink ? { text, linked: text, links: 1 } : { text, linked, links });
  }
  return weights;
}

function countVisible(text: string): number {
  let visible = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x20) visible++;
  return visible;
}

function roleOf(element: MarkupElement): string {
  return attribute(element, 'role')?.trim().toLowerCase() ?? '';
}

function first(root: MarkupParent, matches: (element: MarkupElement) => boolean): MarkupElement | undefined {
  for (const element of elementsOf(root)) if (matches(element)) return element;
  return undefined;
}

function outermost(root: MarkupParent, matches: (element: MarkupElement) => boolean): MarkupElement[] {
  const found: MarkupElement[] = [];
  const enter = (element: MarkupElement) => !matches(element) && !isHidden(element);
  for (const element of elementsOf(root, enter)) if (matches(element) && !isHidden(element)) found.push(element);
  return found;
}

function ancestors(element: MarkupElement): MarkupElement[] {
  const found: MarkupElement[] = [];
  for (let node: MarkupParent | null = element.parentNode; node && isElement(node as MarkupNode); ) {
    found.push(node as MarkupElement);
    node = (node as MarkupElement).parentNode;
  }
  return found;
}

/** Whether an element belongs to a part of the page rather than to the page itself. */
function isInSection(element: MarkupElement): boolean {
  return ancestors(element).some(
    (item) =>
      item.tagName === 'main' || item.tagName === 'article' || item.tagName === 'section' || roleOf(item) === 'main',
  );
}
