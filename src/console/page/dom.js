/* global document, Element, HTMLDetailsElement, Text */

/**
 * Creates an element. Strings become text, never markup: most of the content of this page is untrusted.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Readonly<Record<string, string | undefined>>} attributes - Names are trusted; undefined omits an attribute.
 * @param {...(Node | string | undefined)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) created.setAttribute(name, value);
  }
  for (const child of children) {
    if (child !== undefined) created.append(typeof child === 'string' ? displayed(child) : child);
  }
  return created;
}

/**
 * A text without bidirectional controls and other invisible characters: with these, a device name looks like another one. The same
 * characters as in src/telemetry/deceptive-characters.ts.
 *
 * @param {string} text
 */
function displayed(text) {
  return text.replace(
    /[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu,
    '',
  );
}

/**
 * The element of index.html with an id.
 *
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

const MAX_ITEMS_SHOWN = 5;

/**
 * A list that shows its first items and collapses the rest.
 *
 * @param {'ul' | 'ol'} tag
 * @param {Readonly<Record<string, string>>} attributes
 * @param {readonly HTMLElement[]} items
 */
export function collapsedList(tag, attributes, items) {
  const rest = items.slice(MAX_ITEMS_SHOWN);
  const list = element(tag, attributes, ...items.slice(0, MAX_ITEMS_SHOWN));
  if (rest.length === 0) return list;
  const start = tag === 'ol' ? String(MAX_ITEMS_SHOWN + 1) : undefined;
  return element(
    'div',
    {},
    list,
    element(
      'details',
      {},
      element('summary', {}, `${rest.length} more`),
      element(tag, { ...attributes, start }, ...rest),
    ),
  );
}

/**
 * Updates the children of an element to match `children`. Changes only what differs, so that nothing flickers, and focus,
 * selection and open details survive. Children are matched by `data-key`, or else by position.
 *
 * @param {Element} parent
 * @param {readonly Node[]} children
 */
export function render(parent, children) {
  const wanted = new Set(children.map(keyOf));
  /** @type {Map<string, Element>} */
  const kept = new Map();
  for (const child of [...parent.children]) {
    const key = keyOf(child);
    if (key === undefined) continue;
    if (wanted.has(key)) kept.set(key, child);
    else child.remove();
  }
  /** @type {ChildNode | null} */
  let position = parent.firstChild;
  for (const node of children) {
    const key = keyOf(node);
    const old = key === undefined ? unkeyedMatch(node, position) : kept.get(key);
    if (old === undefined) {
      parent.insertBefore(node, position);
      continue;
    }
    if (old === position) position = position.nextSibling;
    else parent.insertBefore(old, position);
    update(old, node);
  }
  while (position !== null) {
    const next = position.nextSibling;
    position.remove();
    position = next;
  }
}

/** @param {Node} node */
function keyOf(node) {
  return node instanceof Element ? (node.getAttribute('data-key') ?? undefined) : undefined;
}

/**
 * @param {Node} node
 * @param {ChildNode | null} position
 */
function unkeyedMatch(node, position) {
  const matches = position !== null && position.nodeName === node.nodeName && keyOf(position) === undefined;
  return matches ? position : undefined;
}

/**
 * @param {ChildNode} old
 * @param {Node} fresh
 */
function update(old, fresh) {
  if (old instanceof Text && fresh instanceof Text) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (!(old instanceof Element) || !(fresh instanceof Element) || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  // After creation, the reader decides whether details are open.
  const isManaged = (/** @type {string} */ name) => !(old instanceof HTMLDetailsElement && name === 'open');
  for (const name of old.getAttributeNames()) {
    if (isManaged(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const name of fresh.getAttributeNames()) {
    const value = fresh.getAttribute(name) ?? '';
    if (isManaged(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  render(old, [...fresh.childNodes]);
}
