import { choice, element, field } from './element.js';
import { type ApiDocument, exampleOf, type Operation, type Parameter, resolved, type Schema } from './openapi.js';
import type { Texts } from './texts.js';

const form = 'multipart/form-data';
const asText = /^(text\/|application\/(problem\+)?json)/;

export interface FormSurroundings {
  readonly document: ApiDocument;
  readonly texts: Texts;
  /** The secret of a key, where one was given. */
  readonly key: () => string | undefined;
}

/** What a route takes, and a form that asks it. */
export function operationForm(
  method: string,
  path: string,
  operation: Operation,
  { document, texts, key }: FormSurroundings,
): HTMLElement {
  const { parameters = [], requestBody, responses, description } = operation;
  const schemaOf = (schema: Schema | undefined) => resolved(schema ?? {}, document);

  const inputs = parameters.map((parameter) => {
    const schema = schemaOf(parameter.schema);
    const value = parameter.example ?? schema.example ?? (parameter.required ? exampleOf(schema) : undefined) ?? '';
    const { name, in: place, required = false } = parameter;
    const notes = [
      place,
      schema.type?.toString(),
      required && texts.required,
      parameter.description ?? schema.description,
    ];
    const control = schema.enum
      ? choice(
          [
            ...(required ? [] : [['', ''] as const]),
            ...schema.enum.map((each) => [String(each), String(each)] as const),
          ],
          String(value),
        )
      : element('input', { value: String(value), spellcheck: false });
    control.required = required;
    return { parameter, control, shown: field(name, control, notes.filter(Boolean).join(' · ')) };
  });

  const bodies = Object.entries(requestBody?.content ?? {});
  const kind = choice(bodies.map(([type]) => [type, type]));
  const body = element('textarea', { rows: 6, spellcheck: false });
  const files = element('input', { type: 'file', multiple: true });
  const schemaShown = element('pre', { className: 'code' });
  const bodyField = field(texts.body, body);
  const filesField = field(texts.file, files);
  const showBody = () => {
    const schema = schemaOf(requestBody?.content[kind.value]?.schema);
    body.value = JSON.stringify(exampleOf(schema), undefined, 2);
    schemaShown.textContent = JSON.stringify(schema, undefined, 2);
    bodyField.hidden = kind.value === form;
    filesField.hidden = kind.value !== form;
  };
  kind.addEventListener('change', showBody);
  showBody();

  const [, answered] = Object.entries(responses).find(([status]) => status.startsWith('2')) ?? [];
  const accepted = Object.keys(answered?.content ?? {});
  const accept = choice(accepted.map((type) => [type, type]));

  const isDeletion = method === 'delete';
  const send = element('button', { type: 'submit', className: isDeletion ? 'danger' : 'primary' }, texts.send);
  const stop = element('button', { type: 'button', hidden: true }, texts.stop);
  const output = element('div', { className: 'output' });
  let isSure = !isDeletion;
  let stopping = new AbortController();
  stop.addEventListener('click', () => stopping.abort());

  function request(): [string, RequestInit] {
    const values = inputs.map(({ parameter, control }) => ({ ...parameter, value: control.value }));
    const given = (place: Parameter['in']) => values.filter((each) => each.in === place && each.value !== '');
    const query = new URLSearchParams(given('query').map(({ name, value }) => [name, value]));
    const named = path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(values.find((each) => each.in === 'path' && each.name === name)?.value ?? ''),
    );
    const headers = new Headers(given('header').map(({ name, value }) => [name, value]));
    const secret = key();
    if (secret !== undefined) headers.set('authorization', `Bearer ${secret}`);
    if (accepted.length > 0) headers.set('accept', accept.value);
    const init: RequestInit = { method: method.toUpperCase(), headers, signal: stopping.signal };
    if (bodies.length === 0) return [named + (query.size > 0 ? `?${query}` : ''), init];
    if (kind.value === form) {
      const sent = new FormData();
      for (const file of files.files ?? []) sent.append('file', file);
      return [named, { ...init, body: sent }];
    }
    headers.set('content-type', kind.value);
    return [named, { ...init, body: body.value }];
  }

  async function ask(): Promise<void> {
    stopping = new AbortController();
    const status = element('p', {}, element('strong', {}, texts.waiting));
    status.setAttribute('role', 'status');
    const shown = element('pre', { className: 'code', tabIndex: 0 });
    shown.setAttribute('aria-label', texts.answer);
    output.replaceChildren(status);
    stop.hidden = false;
    try {
      const startedAt = performance.now();
      const answer = await fetch(...request());
      const ms = Math.round(performance.now() - startedAt);
      status.replaceChildren(element('strong', {}, `${answer.status} ${answer.statusText}`.trim()), ` · ${ms} ms`);
      const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      output.append(
        element('details', {}, element('summary', {}, texts.headers), element('pre', { className: 'code' }, headers)),
        shown,
      );
      const type = answer.headers.get('content-type') ?? '';
      if (/json/.test(type)) shown.textContent = JSON.stringify(JSON.parse(await answer.text()), undefined, 2);
      else if (!asText.test(type)) shown.textContent = texts.bytes((await answer.arrayBuffer()).byteLength);
      else await showAsItComes(answer, shown);
    } catch (error) {
      if (!stopping.signal.aborted) status.replaceChildren((error as Error).message);
    } finally {
      stop.hidden = true;
    }
  }

  const asking = element(
    'form',
    {},
    inputs.length > 0 && element('h4', {}, texts.parameters),
    ...inputs.map(({ shown }) => shown),
    bodies.length > 1 && field(texts.contentType, kind),
    bodies.length > 0 && bodyField,
    bodies.length > 0 && filesField,
    bodies.length > 0 && element('details', {}, element('summary', {}, texts.schema), schemaShown),
    accepted.length > 1 && field(texts.accept, accept),
    element('p', {}, send, ' ', stop),
  );
  asking.addEventListener('submit', (event) => {
    event.preventDefault();
    send.textContent = isSure ? texts.send : texts.sure;
    if (isSure) void ask();
    isSure = !isDeletion || !isSure;
  });
  return element(
    'div',
    {},
    operation.summary && description ? element('p', {}, description) : undefined,
    asking,
    output,
  );
}

async function showAsItComes({ body }: Response, shown: HTMLElement): Promise<void> {
  if (body === null) return;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    shown.append(value);
  }
}
