type Child = Node | string | undefined | false;

/** An element with properties and children: what is shown is text, never markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return made;
}

let fields = 0;

/** A control with its label. */
export function field(label: string, control: HTMLElement, help?: string): HTMLElement {
  control.id = `field-${fields++}`;
  return element(
    'div',
    { className: 'field' },
    element('label', { htmlFor: control.id }, label),
    control,
    help ? element('span', { className: 'small' }, help) : undefined,
  );
}

export function choice(
  values: readonly (readonly [value: string, shown: string])[],
  chosen?: string,
): HTMLSelectElement {
  const options = values.map(([value, shown]) => element('option', { value, selected: value === chosen }, shown));
  return element('select', {}, ...options);
}
