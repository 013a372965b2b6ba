import { isCollection, isScalar, visit } from 'yaml';
import type { Document, YAMLError } from 'yaml';

/** What keeps a file from being read, and where. */
export interface UnreadableYaml {
  readonly message: string;
  readonly offset: number;
}

/** What keeps a YAML file from being read, or makes something else of a text than was meant; one problem of each line. */
export function problemsInYaml(document: Document, text: string): UnreadableYaml[] {
  const problems = document.errors.map((error) => yamlProblem(error, text));
  visit(document, {
    Alias: (_key, alias) => {
      if (document.errors.length > 0 || alias.resolve(document) !== undefined) return;
      const message = `a text that begins with * needs quotes: "*${alias.source}"`;
      problems.push({ message, offset: alias.range?.[0] ?? 0 });
    },
    Pair: (_key, { key }) => {
      if (isScalar(key) && key.value === '<<') {
        const message = 'merge keys (<<) are not taken: write out what the rule has';
        problems.push({ message, offset: key.range?.[0] ?? 0 });
      }
      if (!isCollection(key)) return;
      const offset = key.range?.[0] ?? 0;
      const instead = inQuotes(valueAround(text, offset)?.value) ?? `'{{ … }}'`;
      problems.push({ message: `a text with {{ }} needs quotes: ${instead}`, offset });
    },
    Scalar: (_key, { tag, source = '', range }) => {
      if (!tag?.startsWith('!')) return;
      const written = `${tag} ${source}`.trim();
      // The tag stands before what the node itself takes in.
      const start = text.lastIndexOf(tag, range?.[0]);
      const message = `a text that begins with ! needs quotes: "${written}"`;
      problems.push({ message, offset: Math.max(start, 0) });
    },
  });
  return firstOfEachLine(problems, text);
}

/** What goes wrong at one place makes the library complain of the rest of the line as well. */
function firstOfEachLine(problems: readonly UnreadableYaml[], text: string): UnreadableYaml[] {
  const sorted = [...problems].sort((a, b) => a.offset - b.offset);
  return sorted.filter(({ offset }, index) => {
    const before = sorted[index - 1];
    return before === undefined || text.slice(before.offset, offset).includes('\n');
  });
}

/** What the library found wrong, with what to do about it. */
function yamlProblem({ code, message, pos: [start] }: YAMLError, text: string): UnreadableYaml {
  const here = (said: string): UnreadableYaml => ({ message: said, offset: start });
  switch (code) {
    case 'DUPLICATE_KEY':
      return here(`the key "${/^["']?([^"':]*)/.exec(text.slice(start))?.[1] ?? ''}" stands here twice`);
    case 'TAB_AS_INDENT':
      return here('tabs are not allowed as indentation: use spaces');
    case 'BAD_ALIAS':
      return here(
        message.startsWith('Alias cannot be') ? 'a text that begins with * needs quotes: "*"' : message,
      );
    case 'BAD_SCALAR_START':
      return here(`a text that begins with ${text[start] ?? ''} needs quotes`);
    case 'BLOCK_AS_IMPLICIT_KEY': {
      const instead = inQuotes(valueAround(text, start)?.value);
      return here(
        `a text with ": " in it needs quotes${instead === undefined ? '' : `: ${instead}`}; or the next line is indented too far`,
      );
    }
    case 'BAD_INDENT': {
      const open = /must be sufficiently indented and end with a ([\]}])$/.exec(message)?.[1];
      return here(
        open === undefined
          ? 'this is indented otherwise than the lines that it belongs to'
          : `a bracket is not closed: ${open} is missing`,
      );
    }
    case 'MISSING_CHAR': {
      if (message.startsWith('Sequence item')) {
        const indent = /^ */.exec(text.slice(start))?.[0].length ?? 0;
        return {
          message:
            'this is indented less than the lines that it belongs to: their first letters must line up',
          offset: start + indent,
        };
      }
      const quote = /^Missing closing (["'])quote$/.exec(message)?.[1];
      return here(quote === undefined ? message : `a quote is not closed: ${quote} is missing`);
    }
    case 'MULTIPLE_DOCS':
      return here('a file is one document: remove the "---"');
    case 'UNEXPECTED_TOKEN':
      return unexpectedToken(message, start, text);
    default:
      return here(message);
  }
}

function unexpectedToken(message: string, start: number, text: string): UnreadableYaml {
  const around = valueAround(text, start);
  const instead = inQuotes(around?.value);
  if (around?.value.startsWith('*') === true && instead !== undefined)
    return { message: `a text that begins with * needs quotes: ${instead}`, offset: around.offset };
  if (!/["']\s*$/.test(text.slice(0, start))) return { message, offset: start };
  const whole =
    instead === undefined ? 'put the whole of it in quotes of the other kind' : `write ${instead}`;
  return { message: `nothing can follow a closing quote: ${whole}`, offset: start };
}

/** The value of the line that a place is in, as far as it begins there and is no collection. */
function valueAround(text: string, place: number): { value: string; offset: number } | undefined {
  const lineStart = text.lastIndexOf('\n', place - 1) + 1;
  const line = /^.*/.exec(text.slice(lineStart))?.[0] ?? '';
  const [, before = '', value = ''] = /^(\s*(?:- +)*(?:[A-Za-z_][\w.-]*: +)?)(.*?)\s*$/.exec(line) ?? [];
  return value === '' || /^(?:\[|\{(?!\{)|[|>])/.test(value)
    ? undefined
    : { value, offset: lineStart + before.length };
}

/** A text as it is to be written, in the quotes that it has none of. */
function inQuotes(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const inner = /^"\{\{.*".*"$/.test(value) ? value.slice(1, -1) : value;
  if (!inner.includes("'")) return `'${inner}'`;
  return inner.includes('"') || inner.includes('\\') ? undefined : `"${inner}"`;
}
