type Child = Node | string | null;
type Attrs = Readonly<Record<string, string | boolean | null>>;

/** Makes an element. A true attribute is present without a value, a false or null one is absent. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attrs: Attrs = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs)) setAttr(node, name, value);
  node.append(...children.filter((c) => c !== null));
  return node;
}

export function setAttr(node: Element, name: string, value: string | boolean | null): void {
  if (value === null || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== (value === true ? '' : value)) node.setAttribute(name, value === true ? '' : value);
}

/** Sets text only when it differs: a screen reader and the layout are left alone otherwise. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node: HTMLElement, visible: boolean): void {
  if (node.hidden === visible) node.hidden = !visible;
}

/** Finds an element that the page's own HTML has. */
export function need(selector: string): HTMLElement {
  const node = document.querySelector<HTMLElement>(selector);
  if (!node) throw new Error(`the page has no ${selector}`);
  return node;
}

const svg = 'http://www.w3.org/2000/svg';

/** Draws an icon from its path, 24 by 24 with strokes of 2. It says nothing: who uses it labels what it stands on. */
export function drawIcon(name: string, path: string): SVGSVGElement {
  const node = document.createElementNS(svg, 'svg');
  for (const [k, v] of Object.entries({ viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false', class: `icon icon-${name}` })) {
    node.setAttribute(k, v);
  }
  const shape = document.createElementNS(svg, 'path');
  shape.setAttribute('d', path);
  node.append(shape);
  return node;
}
