import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileTemplate } from '../../../src/rules/liquid/template.js';
import type { TextPlace } from '../../../src/rules/liquid/text-place.js';
import { HOSTILE_NAMES } from '../../support/hostile-names.js';

const SHAPES = { device: 'any', steps: 'any', event: 'any' } as const;
const ENV = { BASE: 'https://base.example/api', SECRET: 'a/b?c' };

function render(text: string, name: unknown, place: TextPlace = 'url'): string {
  const compiled = compileTemplate(text, SHAPES, place);
  if (Array.isArray(compiled)) throw new Error(compiled.map(({ message }) => message).join('; '));
  return compiled.render({ device: { name }, steps: { x: { json: { next: name } } } }, ENV);
}

/** The value that a path segment or a query value has for the server. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

/** No encoding can express these in a path. */
const leavesThePath = (name: string): boolean => /^(?:\.|%2e){0,2}$/i.test(name) && !name.includes('%');

const anyName = fc.oneof(fc.constantFrom(...HOSTILE_NAMES), fc.string({ unit: 'binary', maxLength: 40 }));

describe('a value in a URL stays at its place', () => {
  test.each(HOSTILE_NAMES)('%j in the path, the query and the fragment', (name) => {
    if (leavesThePath(name)) {
      expect(() => render('https://a.example:8443/devices/{{ device.name }}/lock', name)).toThrow(
        'would name something else',
      );
    } else {
      const inPath = new URL(render('https://a.example:8443/devices/{{ device.name }}/lock?x=1#y', name));
      expect(inPath.origin).toBe('https://a.example:8443');
      expect(inPath.search).toBe('?x=1');
      expect(inPath.hash).toBe('#y');
      const segments = inPath.pathname.split('/');
      expect([segments[1], segments[3], segments.length]).toEqual(['devices', 'lock', 4]);
      expect(decodeURIComponent(segments[2] ?? '')).toBe(wellFormed(name));
    }
    const inQuery = new URL(render('https://a.example/find?name={{ device.name }}&limit=1', name));
    expect([...inQuery.searchParams]).toEqual([
      ['name', wellFormed(name)],
      ['limit', '1'],
    ]);
    expect([inQuery.pathname, inQuery.hash]).toEqual(['/find', '']);
    const inKey = new URL(render('https://a.example/find?{{ device.name }}=1', name));
    expect([...inKey.searchParams]).toEqual([[wellFormed(name), '1']]);
    const inFragment = new URL(render('https://a.example/#{{ device.name }}', name));
    expect([inFragment.pathname, inFragment.search]).toEqual(['/', '']);
  });

  test('any text decodes to itself, whatever is around it', () => {
    fc.assert(
      fc.property(
        anyName,
        fc.constantFrom('x', '', 'a-', 'v1.'),
        fc.constantFrom('', '.json', '-b'),
        (name, before, after) => {
          const text = `https://u:p@a.example/d/${before}{{ device.name }}${after}/e?q={{ device.name }}`;
          let url: URL;
          try {
            url = new URL(render(text, name));
          } catch (error) {
            expect(String(error)).toContain('would name something else');
            return;
          }
          expect(url.host).toBe('a.example');
          expect(url.pathname.split('/')).toHaveLength(4);
          expect(decodeURIComponent(url.pathname.split('/')[2] ?? '')).toBe(
            before + wellFormed(name) + after,
          );
          expect([...url.searchParams]).toEqual([['q', wellFormed(name)]]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([
    ['https://a.example/d/.{{ device.name }}/x', '.'],
    ['https://a.example/d/%2e{{ device.name }}', '.'],
    ['https://a.example/d/{{ device.name }}', ''],
    ['https://a.example/d/{{ device.name }}/', null],
    ['https://a.example/{{ device.name }}{{ device.name }}', '.'],
    ['https://a.example\\{{ device.name }}\\b', '..'],
  ])('%s with %j is refused', (text, name) => {
    expect(() => render(text, name)).toThrow('would name something else');
  });

  test.each([
    ['https://a.example/d{{ device.name }}', '', 'https://a.example/d'],
    ['https://a.example/?q={{ device.name }}', null, 'https://a.example/?q='],
    ['https://a.example/{{ device.name }}.png', '..', 'https://a.example/...png'],
    ['https://a.example/v{{ device.name }}/d', 1.5, 'https://a.example/v1.5/d'],
  ])('%s with %j is %s', (text, name, expected) => {
    expect(render(text, name)).toBe(expected);
  });
});

describe('what the author wrote stays as it is', () => {
  test.each([
    ['url_encode is not applied twice', 'https://a.example/{{ device.name | url_encode }}?q={{ device.name | url_encode }}', 'https://a.example/a%20b%2F%25?q=a%20b%2F%25'],
    ['cgi_escape', 'https://a.example/{{ device.name | cgi_escape }}', 'https://a.example/a%20b%2F%25'],
    ['uri_escape does not open a new segment', 'https://a.example/{{ device.name | uri_escape }}', 'https://a.example/a%20b%2F%25'],
    ['an encoded value in a variable', '{% assign n = device.name | url_encode %}https://a.example/{{ n | append: "/x" }}', 'https://a.example/a%20b%2F%25%2Fx'],
    ['raw passes nothing by', 'https://a.example/{{ device.name | raw }}', 'https://a.example/a%20b%2F%25'],
    ['url_decode', 'https://a.example/{{ device.name | url_encode | url_decode }}', 'https://a.example/a%20b%2F%25'],
    ['echo', 'https://a.example/{% echo device.name %}', 'https://a.example/a%20b%2F%25'],
    ['liquid', 'https://a.example/{% liquid echo device.name | raw %}', 'https://a.example/a%20b%2F%25'],
    ['cycle', 'https://a.example/{% cycle device.name, "b" %}', 'https://a.example/a%20b%2F%25'],
    ['capture is one value', '{% capture c %}x/{{ device.name }}{% endcapture %}https://a.example/{{ c }}', 'https://a.example/x%2Fa%20b%2F%25'],
    ['tags choose between texts of the author', 'https://{% if device.name %}a{% else %}b{% endif %}.example/x/{% if device.name %}y/z{% endif %}', 'https://a.example/x/y/z'],
    ['variables of the environment', '${env:BASE}/{{ device.name }}?s=${env:SECRET}', 'https://base.example/api/a%20b%2F%25?s=a/b?c'],
    ['json', 'https://a.example/?q={{ device.name | json }}', 'https://a.example/?q=%22a%20b%2F%25%22'],
    ['a list', 'https://a.example/?q={{ device.name | split: " " }}', 'https://a.example/?q=ab%2F%25'],
  ])('%s', (_what, text, expected) => {
    expect(render(text, 'a b/%')).toBe(expected);
  }); // prettier-ignore

  test('an encoded value stays within its segment for every name', () => {
    fc.assert(
      fc.property(
        anyName,
        fc.constantFrom('url_encode', 'cgi_escape', 'uri_escape', 'raw', 'strip'),
        (name, filter) => {
          fc.pre(!/^[.\s]*$/.test(name));
          const url = new URL(render(`https://a.example/d/{{ device.name | ${filter} }}/e`, name));
          expect(url.pathname.split('/')).toHaveLength(4);
          expect([url.search, url.hash]).toEqual(['', '']);
        },
      ),
    );
  });
});

describe('no value decides where a request goes', () => {
  test.each([
    '{{ device.name }}',
    '{{ device.name }}/path',
    'https://{{ device.name }}/path',
    'https://{{ device.name }}.a.example/path',
    'https://a.example:{{ device.name }}/path',
    'https://a.example{{ device.name }}/path',
    'https://user:{{ device.name }}@a.example/path',
    'https:{{ device.name }}',
    'http{{ device.name }}://a.example/',
    '{{ device.name }}://a.example/',
  ])('%s does not load', (text) => {
    const problems = compileTemplate(text, SHAPES, 'url');
    expect(problems).toEqual([
      {
        code: 'rule/value-in-host',
        message: expect.stringContaining('write them out'),
        offset: text.indexOf('{{'),
      },
    ]);
  });

  test.each([
    '${env:HOST}{{ device.name }}',
    '{% if true %}{{ device.name }}{% endif %}',
    '{% assign h = device.name %}https://{{ h }}/',
  ])('%s does not render', (text) => {
    const compiled = compileTemplate(text, SHAPES, 'url');
    if (Array.isArray(compiled)) return;
    expect(() =>
      compiled.render({ device: { name: 'evil.example' } }, { HOST: 'https://a.example' }),
    ).toThrow('a value cannot be the scheme, host or port of a URL');
  });

  test('a whole URL from a value is left as it is, and values behind it are encoded', () => {
    const next = 'https://a.example/x/y?page=2&q=a%20b';
    expect(render('{{ steps.x.json.next }}', next, 'whole_url')).toBe(next);
    expect(render('{{ device.name }}&also={{ device.name }}', next, 'whole_url')).toBe(
      `${next}&also=${encodeURIComponent(next)}`,
    );
    expect(() => render('https://{{ device.name }}/', 'evil.example', 'whole_url')).toThrow(
      'cannot be the scheme',
    );
    expect(() => render('{{ device.name }}{{ device.name }}', 'https://a.example', 'whole_url')).toThrow(
      'cannot be the scheme',
    );
  });
});

describe('a value in a header', () => {
  test.each(HOSTILE_NAMES)('%j is one line of ASCII that decodes to the name', (name) => {
    const value = render('Device {{ device.name }}; v=1', name, 'header');
    expect(value).toMatch(/^Device [\u0020-\u007e]*; v=1$/);
    const headers = new Headers({ 'X-Device': value });
    const decoded = (headers.get('X-Device') ?? '').replace(/(?:%[0-9A-F]{2})+/g, decodeURIComponent);
    expect(decoded).toBe(`Device ${wellFormed(name)}; v=1`);
  });

  test('what the author encoded is not encoded again, and ASCII stays as it is', () => {
    expect(render('{{ device.name | url_encode }}', 'ü b%', 'header')).toBe('%C3%BC+b%25');
    expect(render('Bearer {{ device.name }}', 'abc.DEF-_~+/=', 'header')).toBe('Bearer abc.DEF-_~+/=');
    expect(render('{{ device.name }}', '87%', 'header')).toBe('87%');
    expect(render('{{ device.name }}', 'Anna’s Mac', 'header')).toBe('Anna%E2%80%99s Mac');
  });
});

test.each(HOSTILE_NAMES)('%j is itself in other texts', (name) => {
  expect(render('{{ device.name }}', name, 'text')).toBe(name);
});
