import { choice, element, field } from './element.js';
import type { ApiDocument, Operation } from './openapi.js';
import { operationForm } from './operation-form.js';
import { texts as inLanguages, type Texts } from './texts.js';
import '../style/page.css';
import './api-docs.css';

// The choices of the page for asking; its code stays out of this one's way, and this out of its.
const languageKey = 'aquifer-language';
const themeKey = 'aquifer-theme';
const secretKey = 'aquifer-key';
const root = document.documentElement;

type LanguageName = keyof typeof inLanguages;

function chosenLanguage(): LanguageName {
  const known = [localStorage.getItem(languageKey), ...navigator.languages].find((each) =>
    /^(en|ja)\b/.test(each ?? ''),
  );
  return known?.startsWith('ja') ? 'ja' : 'en';
}

function applyTheme(): void {
  const theme = localStorage.getItem(themeKey) ?? 'system';
  if (theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme;
}

function remembering(select: HTMLSelectElement, label: string, key: string, then: () => void): HTMLSelectElement {
  select.setAttribute('aria-label', label);
  select.addEventListener('change', () => {
    localStorage.setItem(key, select.value);
    then();
  });
  return select;
}

const storedSecret = (): string | undefined => sessionStorage.getItem(secretKey) ?? undefined;

function keyForm(texts: Texts): HTMLElement {
  const input = element('input', { type: 'password', autocomplete: 'off', value: storedSecret() ?? '' });
  const use = element('button', { type: 'submit' }, texts.keyUse);
  const form = element('form', { className: 'panel' }, field(texts.key, input, texts.keyHelp), use);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const secret = input.value.trim();
    if (secret === '') sessionStorage.removeItem(secretKey);
    else sessionStorage.setItem(secretKey, secret);
    void show();
  });
  return form;
}

async function readDocument(): Promise<ApiDocument> {
  const secret = storedSecret();
  const answer = await fetch('/openapi.json', secret ? { headers: { authorization: `Bearer ${secret}` } } : {});
  const read = await answer.json();
  if (!answer.ok) throw new Error(read.error?.message ?? answer.statusText);
  return read;
}

function routeView(method: string, path: string, operation: Operation, document: ApiDocument, texts: Texts) {
  const { summary = operation.description ?? '' } = operation;
  const shown = element(
    'details',
    { className: 'route', id: operation.operationId },
    element(
      'summary',
      {},
      element('code', { className: `method ${method}` }, method.toUpperCase()),
      ' ',
      element('code', {}, path),
      ' ',
      element('span', { className: 'small' }, summary),
    ),
  );
  // Made when it is opened: there are many.
  shown.addEventListener('toggle', () => {
    if (shown.children.length > 1) return;
    shown.append(operationForm(method, path, operation, { document, texts, key: storedSecret }));
  });
  return shown;
}

async function show(): Promise<void> {
  const language = chosenLanguage();
  const texts = inLanguages[language];
  root.lang = language;
  document.title = `${texts.title} · Aquifer`;
  applyTheme();
  const themes = Object.entries(texts.themes) as [string, string][];
  const main = element('main', { id: 'content', tabIndex: -1 }, element('h1', {}, texts.title));
  document.body.replaceChildren(
    element('a', { className: 'skip', href: '#content' }, texts.skip),
    element(
      'header',
      { className: 'top' },
      element('div', { className: 'brand' }, 'Aquifer'),
      element('nav', { ariaLabel: 'Aquifer' }, element('a', { href: '/' }, texts.back)),
      element(
        'div',
        { className: 'settings' },
        remembering(choice(themes, localStorage.getItem(themeKey) ?? 'system'), texts.theme, themeKey, applyTheme),
        remembering(
          choice(
            [
              ['en', 'English'],
              ['ja', '日本語'],
            ],
            language,
          ),
          texts.language,
          languageKey,
          () => void show(),
        ),
      ),
    ),
    element('div', { className: 'columns' }, main),
  );
  main.append(element('p', {}, texts.intro, element('a', { href: '/openapi.json' }, '/openapi.json')), keyForm(texts));
  try {
    const api = await readDocument();
    const groups = new Map<string, HTMLElement[]>();
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const tag = operation.tags?.[0] ?? '';
        const views = groups.get(tag) ?? [];
        groups.set(tag, views);
        views.push(routeView(method, path, operation, api, texts));
      }
    }
    for (const [tag, views] of groups) main.append(element('section', {}, element('h2', {}, tag), ...views));
  } catch (error) {
    const callout = element(
      'div',
      { className: 'callout bad' },
      element('p', {}, `${texts.failed} ${(error as Error).message}`),
    );
    callout.setAttribute('role', 'alert');
    main.append(callout);
  }
}

void show();
