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

/** What a line of the reference is. */
export type Line =
  | {
      readonly kind: 'heading' | 'call' | 'status' | 'curl' | 'json' | 'table' | 'prose' | 'blank';
      readonly text: string;
    }
  | { readonly kind: 'argument'; readonly text: string; readonly name: string; readonly presence: string };

const CALL = /^(GET|POST|PUT|PATCH|DELETE) https:\/\//;
const TABLE_HEAD = 'Argument Description';
/** Lines that look like headings and are none. */
const NO_HEADINGS = new Set([
  'NAV',
  'HTTP Request',
  'Request',
  'Response',
  'Example response body',
  'Value Types and Value Formats',
  TABLE_HEAD,
]);

/**
 * Tells the lines of the reference apart, which is plain text: headings stand alone, examples begin with `curl`, `HTTP/1.1` or a
 * brace at the start of a line, tables of arguments follow their head. Everything else is prose.
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

/** The name is the first word of a row; then it may say whether the argument must be there. */
function argument(text: string): Line {
  const [, name = '', presence = ''] = /^(\S+)\s*((?:Required|Optional)\.)?/.exec(text) ?? [];
  return { kind: 'argument', text, name, presence };
}

function isHeading(lines: readonly string[], index: number): boolean {
  const line = lines[index]?.trim() ?? '';
  const alone = (lines[index - 1] ?? '').trim() === '' && (lines[index + 1] ?? '').trim() === '';
  return alone && /^[A-Z][A-Za-z ]*$/.test(line) && !NO_HEADINGS.has(line);
}

/** How many braces a line leaves open, those inside texts left alone. */
function bracesIn(line: string): number {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"/g, '');
  return (bare.match(/\{/g) ?? []).length - (bare.match(/\}/g) ?? []).length;
}
