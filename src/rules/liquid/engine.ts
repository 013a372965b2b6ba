import { Liquid } from 'liquidjs';
import { wellFormed } from './place-encoding.js';
import { ENCODED_PERCENT, markValue } from './text-place.js';
import type { TextPlace } from './text-place.js';

const plain = createEngine();
const header = createMarkingEngine('+');
// A + in a path is a plus; only forms read it as a space.
const url = createMarkingEngine(`${ENCODED_PERCENT}20`);

const name = createEngine((value) => markValue(textOf(value)));

/** The Liquid engine for the templates of a place. */
export function engineFor(place: TextPlace): Liquid {
  if (place === 'text') return plain;
  if (place === 'name') return name;
  return place === 'header' ? header : url;
}

function createEngine(outputEscape?: (value: unknown) => string): Liquid {
  const engine = new Liquid({
    strictVariables: true,
    strictFilters: true,
    // `{{ x | default: "-" }}` and `{% if x %}` ask for a missing value on purpose.
    lenientIf: true,
    ownPropertyOnly: true,
    templates: {},
    parseLimit: 100_000,
    renderLimit: 500,
    memoryLimit: 10_000_000,
    ...(outputEscape && { outputEscape }),
  });
  // Without these tags a template cannot read files.
  for (const tag of ['include', 'render', 'layout', 'block']) Reflect.deleteProperty(engine.tags, tag);
  return engine;
}

/**
 * An engine whose output tells values from what the author wrote.
 *
 * @param space - What the filters that encode write for a space.
 */
function createMarkingEngine(space: string): Liquid {
  const engine = createEngine((value) => markValue(textOf(value)));
  // `raw` would pass a value as if the author had written it.
  engine.registerFilter('raw', (value: unknown) => value);
  const marked = (encoded: string): string => encoded.replaceAll('%', ENCODED_PERCENT);
  for (const name of ['url_encode', 'cgi_escape']) {
    engine.registerFilter(name, (value: unknown) =>
      marked(encodeURIComponent(wellFormed(textOf(value)))).replaceAll(`${ENCODED_PERCENT}20`, space),
    );
  }
  engine.registerFilter('uri_escape', (value: unknown) => marked(encodeURI(wellFormed(textOf(value)))));
  return engine;
}

/** A value as Liquid writes it. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(textOf).join('');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
