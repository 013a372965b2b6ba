import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readLines, SECTIONS } from './lines.js';
import { CORRECTIONS } from './corrections.js';

/** A call that the reference documents. */
export interface DocumentedCall {
  readonly section: string;
  readonly title: string;
  /** `GET /devices/{DEVICE_ID}`. */
  readonly call: string;
  /** The documented status, if any. */
  readonly status: number | undefined;
  readonly arguments: readonly { readonly name: string; readonly required: boolean }[];
  /** The example bodies. */
  readonly examples: readonly unknown[];
  /** The method and path of its curl example. */
  readonly curl: string | undefined;
}

/** The parts of the reference that the tests use. */
export interface Reference {
  readonly calls: readonly DocumentedCall[];
  /** Examples that belong to no call, by section: an error, a page, a webhook. */
  readonly general: ReadonlyMap<string, unknown>;
  /** Corrections that matched nothing. */
  readonly unusedCorrections: readonly string[];
}

/** The reference without its prose. */
export const EXCERPT = join(dirname(fileURLToPath(import.meta.url)), 'api-reference.txt');

/** Reads the excerpt. */
export function readExcerpt(): Reference {
  return readReference(readFileSync(EXCERPT, 'utf8'));
}

/** Finds every call and every example in the reference, after the corrections. */
export function readReference(text: string): Reference {
  const calls: DocumentedCall[] = [];
  const general = new Map<string, unknown>();
  const used = new Set<number>();
  for (const { section, title, text: part } of partsOf(text)) {
    const where = title === '' ? section : `${section} / ${title}`;
    const corrected = correct(where, part, used);
    const lines = readLines(corrected);
    const examples = jsonIn(corrected).map((body): unknown => JSON.parse(body));
    const [call, another] = lines.filter(({ kind }) => kind === 'call');
    if (another !== undefined) throw new Error(`${where} documents more than one call`);
    if (call === undefined) {
      if (examples[0] !== undefined) general.set(section, examples[0]);
      continue;
    }
    const status = lines.find(({ kind }) => kind === 'status')?.text;
    calls.push({
      section,
      title,
      call: call.text.replace('https://a.simplemdm.com/api/v1', ''),
      status: status === undefined ? undefined : Number(status.split(' ')[1]),
      arguments: lines.flatMap((line) =>
        line.kind === 'argument' ? [{ name: line.name, required: line.presence === 'Required.' }] : [],
      ),
      examples,
      curl: curlIn(lines.flatMap(({ kind, text: line }) => (kind === 'curl' ? [line] : []))),
    });
  }
  return {
    calls,
    general,
    unusedCorrections: CORRECTIONS.flatMap(({ where, reason }, index) =>
      used.has(index) ? [] : [`${where}: ${reason}`],
    ),
  };
}

interface Part {
  readonly section: string;
  readonly title: string;
  readonly text: string;
}

/** The text below each heading. */
function partsOf(text: string): Part[] {
  const parts: { section: string; title: string; lines: string[] }[] = [];
  let section = '';
  for (const { kind, text: line } of readLines(text)) {
    if (kind !== 'heading') {
      parts.at(-1)?.lines.push(line);
      continue;
    }
    const isSection = SECTIONS.some((name) => name === line) && line !== section;
    if (isSection) section = line;
    parts.push({ section, title: isSection ? '' : line, lines: [] });
  }
  return parts.map((part) => ({ ...part, text: part.lines.join('\n') }));
}

function correct(where: string, text: string, used: Set<number>): string {
  return CORRECTIONS.reduce((current, { where: place, found, replacement }, index) => {
    if (place !== where) return current;
    const corrected = current.replace(found, replacement);
    if (corrected !== current) used.add(index);
    return corrected;
  }, text);
}

/** The JSON bodies in a part. */
function jsonIn(text: string): string[] {
  const bodies: string[][] = [];
  let inside = false;
  for (const { kind, text: line } of readLines(text)) {
    if (kind === 'json') {
      if (inside) bodies.at(-1)?.push(line);
      else bodies.push([line]);
    }
    inside = kind === 'json';
  }
  return bodies.map((lines) => lines.join('\n'));
}

/** The call of a curl example: `POST /apps/34`. */
function curlIn(lines: readonly string[]): string | undefined {
  const command = lines.join(' ');
  const path = /https:\/\/a\.simplemdm\.com\/api\/v1([^\s"?]*)/.exec(command)?.[1];
  if (path === undefined) return undefined;
  const explicit =
    /(?:-X|--request)\s+"?([A-Z]+)/.exec(command)?.[1] ?? /_method=([A-Z]+)/.exec(command)?.[1];
  const method = explicit ?? (/\s-[dF]\s/.test(command) ? 'POST' : 'GET');
  return `${method} ${path.replace(/\/$/, '')}`;
}
