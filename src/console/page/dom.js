/* global document, Element, HTMLDetailsElement, Text */

/**
 * Builds an element. Strings become text, never markup: most of what this page shows was written by others.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Readonly<Record<string, string | undefined>>} attributes - Names are ours, always; undefined leaves one out.
 * @param {...(Node | string | undefined)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes, ...children) {
  const built = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) built.setAttribute(name, value);
  }
  built.append(...children.filter((child) => child !== undefined));
  return built;
}

/**
 * The element of index.html with this id.
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

/** So many items of a list are shown, the rest on demand. */
const MOST_SHOWN = 5;

/**
 * A list whose end is folded away when it is long.
 *
 * @param {'ul' | 'ol'} tag
 * @param {Readonly<Record<string, string>>} attributes
 * @param {readonly HTMLElement[]} items
 */
export function shortList(tag, attributes, items) {
  const rest = items.slice(MOST_SHOWN);
  const list = element(tag, attributes, ...items.slice(0, MOST_SHOWN));
  if (rest.length === 0) return list;
  const from = tag === 'ol' ? String(MOST_SHOWN + 1) : undefined;
  return element(
    'div',
    {},
    list,
    element(
      'details',
      {},
      element('summary', {}, `${rest.length} more`),
      element(tag, { ...attributes, start: from }, ...rest),
    ),
  );
}

/**
 * Makes the children of a parent look like the fresh ones while touching only what differs, so that nothing flickers and focus,
 * selection and opened details survive. Children with a `data-key` are recognised by it, others by their place.
 *
 * @param {Element} parent
 * @param {readonly Node[]} fresh
 */
export function showIn(parent, fresh) {
  const wanted = new Set(fresh.map(keyOf));
  /** @type {Map<string, Element>} */
  const kept = new Map();
  for (const child of [...parent.children]) {
    const key = keyOf(child);
    if (key === undefined) continue;
    if (wanted.has(key)) kept.set(key, child);
    else child.remove();
  }
  /** @type {ChildNode | null} */
  let place = parent.firstChild;
  for (const node of fresh) {
    const key = keyOf(node);
    const old = key === undefined ? unkeyedLike(node, place) : kept.get(key);
    if (old === undefined) {
      parent.insertBefore(node, place);
      continue;
    }
    if (old === place) place = place.nextSibling;
    else parent.insertBefore(old, place);
    update(old, node);
  }
  while (place !== null) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

/** @param {Node} node */
function keyOf(node) {
  return node instanceof Element ? (node.getAttribute('data-key') ?? undefined) : undefined;
}

/**
 * @param {Node} node
 * @param {ChildNode | null} place
 */
function unkeyedLike(node, place) {
  const alike = place !== null && place.nodeName === node.nodeName && keyOf(place) === undefined;
  return alike ? place : undefined;
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
  // Whether details are open is the reader's business once they are there.
  const ours = (/** @type {string} */ name) => !(old instanceof HTMLDetailsElement && name === 'open');
  for (const name of old.getAttributeNames()) {
    if (ours(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const name of fresh.getAttributeNames()) {
    const value = fresh.getAttribute(name) ?? '';
    if (ours(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  showIn(old, [...fresh.childNodes]);
}
