import { expect, test } from '@jest/globals';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERRORS } from '../../../src/errors/registry.js';
import { headingAnchors, markdownPages, withoutCodeBlocks } from '../../support/markdown.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const pages = markdownPages(root);
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

interface Link {
  /** Relative to the root of the project. */
  readonly target: string;
  readonly anchor: string | undefined;
}

/** The links of a page to files of the project. */
function linksOf(page: string): Link[] {
  const links = withoutCodeBlocks(read(page)).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links].flatMap(([, address = '']) => {
    if (/^[a-z]+:/.test(address)) return [];
    const [path = '', anchor] = address.split('#');
    const target = path === '' ? page : relative(root, join(root, dirname(page), path));
    return [{ target, anchor }];
  });
}

test.each(pages)('every link of %s leads to a file and a heading', (page) => {
  const broken = linksOf(page).filter(({ target, anchor }) => {
    const path = join(root, target);
    if (!existsSync(path)) return true;
    return anchor !== undefined && !headingAnchors(path).has(anchor);
  });
  expect(broken).toEqual([]);
});

test('every page can be reached from README.md', () => {
  const reached = new Set(['README.md']);
  // A set also iterates over what is added during the iteration.
  for (const page of reached) {
    for (const { target } of linksOf(page)) if (pages.includes(target)) reached.add(target);
  }
  expect(pages.filter((page) => !reached.has(page))).toEqual([]);
});

const FOLDERS = ['src', 'workers', 'test', 'script', 'simulator', 'helm', 'bench', 'docs'];
const PATH_IN_BACKTICKS = new RegExp(`\`((?:${FOLDERS.join('|')})/[^\`\\s:]*)`, 'g');

/** The part of a path before its first placeholder, such as `src/actions/*.ts` or `src/channels/<name>.ts`. */
const withoutPlaceholder = (path: string): string => path.replace(/[^/]*[*<{…][^]*$/, '');

test.each(pages)('every path that %s names exists', (page) => {
  const paths = [...read(page).matchAll(PATH_IN_BACKTICKS)].map(([, path = '']) => path);
  expect(paths.filter((path) => !existsSync(join(root, withoutPlaceholder(path))))).toEqual([]);
});

const AREAS = [...new Set(Object.keys(ERRORS).map((code) => code.split('/')[0]))];
const ERROR_CODE = new RegExp(`[\`[]((?:${AREAS.join('|')})/[a-z-]+)[\`\\]]`, 'g');

test.each(pages)('every error code that %s names is in the registry', (page) => {
  const codes = [...read(page).matchAll(ERROR_CODE)].map(([, code = '']) => code);
  expect(codes.filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([]);
});

/** Every file of a folder, or the file itself. */
function filesAt(path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  const names = readdirSync(join(root, path), { recursive: true, encoding: 'utf8' });
  return names.map((name) => join(path, name)).filter((name) => statSync(join(root, name)).isFile());
}

test('every page that code, rules and configuration name exists', () => {
  const places = [
    'src',
    'workers',
    'simulator',
    'script',
    'rules',
    'helm',
    'docker-compose.yml',
    '.env.example',
  ];
  const missing = places
    .flatMap(filesAt)
    .flatMap((file) =>
      [...read(file).matchAll(/\b(docs\/[\w/-]+\.md|README\.md|CONTRIBUTING\.md)/g)]
        .filter(([, page = '']) => !existsSync(join(root, page)))
        .map(([, page = '']) => `${file}: ${page}`),
    );
  expect(missing).toEqual([]);
});
