/** The sections of the reference, in its order. */
export const SECTIONS = [
  'Introduction',
  'Authentication',
  'Errors',
  'Pagination',
  'Account',
  'Apps',
  'Assignment Groups',
  'Custom Attributes',
  'Custom Configuration Profiles',
  'DEP Servers',
  'Devices',
  'Device Groups',
  'Enrollments',
  'Installed Apps',
  'Logs',
  'Lost Mode',
  'Managed App Configs',
  'Push Certificate',
  'Scripts',
  'Script Jobs',
  'Webhooks',
] as const;

/** A line of the reference and its kind. */
export type Line =
  | {
      readonly kind: 'heading' | 'call' | 'status' | 'curl' | 'json' | 'table' | 'prose' | 'blank';
      readonly text: string;
    }
  | { readonly kind: 'argument'; readonly text: string; readonly name: string; readonly presence: string };

const CALL = /^(GET|POST|PUT|PATCH|DELETE) https:\/\//;
const TABLE_HEAD = 'Argument Description';
/** Lines that look like headings but are not. */
const NOT_HEADINGS = new Set([
  'NAV',
  'HTTP Request',
  'Request',
  'Response',
  'Example response body',
  'Value Types and Value Formats',
  TABLE_HEAD,
]);

/**
 * Classifies the lines of the reference, which is plain text: blank lines surround headings, examples start with `curl`, `HTTP/1.1`
 * or a brace, and rows of arguments follow a table head. Everything else is prose.
 */
export function readLines(text: string): Line[] {
  const lines = text.split('\n');
  const found: Line[] = [];
  let depth = 0;
  let inCurl = false;
  let inTable = false;
  for (const [index, raw] of lines.entries()) {
    const line = raw.trimEnd();
    const trimmed = line.trim();
    if (depth > 0 || trimmed === '{') {
      depth += bracesIn(line);
      found.push({ kind: 'json', text: raw });
      inCurl = false;
      continue;
    }
    inCurl = trimmed.startsWith('curl ') || (inCurl && /^\s+-/.test(line));
    if (trimmed === '') inTable = false;
    if (inCurl) found.push({ kind: 'curl', text: raw });
    else if (trimmed === '') found.push({ kind: 'blank', text: '' });
    else if (CALL.test(trimmed)) found.push({ kind: 'call', text: trimmed });
    else if (trimmed.startsWith('HTTP/1.1 ')) found.push({ kind: 'status', text: trimmed });
    else if (trimmed === TABLE_HEAD) {
      inTable = true;
      found.push({ kind: 'table', text: trimmed });
    } else if (inTable) found.push(argument(trimmed));
    else found.push({ kind: isHeading(lines, index) ? 'heading' : 'prose', text: trimmed });
  }
  return found;
}

/** The first word of a row is the name; `Required.` or `Optional.` may follow. */
function argument(text: string): Line {
  const [, name = '', presence = ''] = /^(\S+)\s*((?:Required|Optional)\.)?/.exec(text) ?? [];
  return { kind: 'argument', text, name, presence };
}

function isHeading(lines: readonly string[], index: number): boolean {
  const line = lines[index]?.trim() ?? '';
  const alone = (lines[index - 1] ?? '').trim() === '' && (lines[index + 1] ?? '').trim() === '';
  return alone && /^[A-Z][A-Za-z ]*$/.test(line) && !NOT_HEADINGS.has(line);
}

/** The number of braces that a line leaves open, without braces in strings. */
function bracesIn(line: string): number {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"/g, '');
  return (bare.match(/\{/g) ?? []).length - (bare.match(/\}/g) ?? []).length;
}
