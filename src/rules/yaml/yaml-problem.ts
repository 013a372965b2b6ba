import { isCollection, isScalar, visit } from 'yaml';
import type { Document, YAMLError } from 'yaml';
import type { UserProblem } from '../../errors/user-problem.js';

/** A problem that makes a file unreadable, at an offset into the file. */
export interface YamlProblem extends UserProblem {
  readonly offset: number;
}

const invalid = (message: string, offset: number): YamlProblem => ({
  code: 'rule/invalid-yaml',
  message,
  offset,
});
const needsQuotes = (message: string, offset: number): YamlProblem => ({
  code: 'rule/needs-quotes',
  message,
  offset,
});

/** Finds what makes a YAML file unreadable, and texts that YAML reads as something else. Reports one problem per line. */
export function problemsInYaml(document: Document, text: string): YamlProblem[] {
  const problems = document.errors.map((error) => fromLibrary(error, text));
  visit(document, {
    Alias: (_key, alias) => {
      if (document.errors.length > 0 || alias.resolve(document) !== undefined) return;
      const message = `a text that begins with * needs quotes: "*${alias.source}"`;
      problems.push(needsQuotes(message, alias.range?.[0] ?? 0));
    },
    Pair: (_key, { key }) => {
      if (isScalar(key) && key.value === '<<') {
        const message = 'merge keys (<<) are not supported: repeat the keys in each rule';
        problems.push(invalid(message, key.range?.[0] ?? 0));
      }
      if (!isCollection(key)) return;
      const offset = key.range?.[0] ?? 0;
      const quoted = inQuotes(valueAround(text, offset)?.value) ?? `'{{ … }}'`;
      problems.push(needsQuotes(`a text with {{ }} needs quotes: ${quoted}`, offset));
    },
    Scalar: (_key, { tag, source = '', range }) => {
      if (!tag?.startsWith('!')) return;
      // The range of the node starts behind its tag, and an anchor (&&) may stand between them.
      const start = Math.max(text.lastIndexOf(tag, range?.[0]), 0);
      const quoted = inQuotes(valueAround(text, start)?.value) ?? `"${`${tag} ${source}`.trim()}"`;
      problems.push(needsQuotes(`a text that begins with ! needs quotes: ${quoted}`, start));
    },
  });
  return firstOfEachLine(problems, text);
}

/** After one mistake the library also complains about the rest of the line. */
function firstOfEachLine(problems: readonly YamlProblem[], text: string): YamlProblem[] {
  const sorted = [...problems].sort((a, b) => a.offset - b.offset);
  return sorted.filter(({ offset }, index) => {
    const previous = sorted[index - 1];
    return previous === undefined || text.slice(previous.offset, offset).includes('\n');
  });
}

/** An error of the YAML library as a message that says what to do. */
function fromLibrary({ code, message, pos: [start] }: YAMLError, text: string): YamlProblem {
  switch (code) {
    case 'DUPLICATE_KEY':
      return invalid(
        `the key "${/^["']?([^"':]*)/.exec(text.slice(start))?.[1] ?? ''}" appears twice`,
        start,
      );
    case 'TAB_AS_INDENT':
      return invalid('tabs are not allowed as indentation: use spaces', start);
    case 'BAD_ALIAS':
      return message.startsWith('Alias cannot be')
        ? needsQuotes('a text that begins with * needs quotes: "*"', start)
        : invalid(message, start);
    case 'BAD_SCALAR_START':
      return needsQuotes(`a text that begins with ${text[start] ?? ''} needs quotes`, start);
    case 'BLOCK_AS_IMPLICIT_KEY': {
      const quoted = inQuotes(valueAround(text, start)?.value);
      return needsQuotes(
        `a text with ": " in it needs quotes${quoted === undefined ? '' : `: ${quoted}`}; or the next line is indented too far`,
        start,
      );
    }
    case 'BAD_INDENT': {
      const open = /must be sufficiently indented and end with a ([\]}])$/.exec(message)?.[1];
      return invalid(
        open === undefined
          ? 'wrong indentation: this line does not line up with the rest of its block, or the "- " before it is missing'
          : `a bracket is not closed: ${open} is missing`,
        start,
      );
    }
    case 'MISSING_CHAR': {
      if (message.startsWith('Sequence item')) {
        const indent = /^ */.exec(text.slice(start))?.[0].length ?? 0;
        return invalid(
          'wrong indentation: this line is indented less than the rest of its block',
          start + indent,
        );
      }
      const quote = /^Missing closing (["'])quote$/.exec(message)?.[1];
      return invalid(quote === undefined ? message : `a quote is not closed: ${quote} is missing`, start);
    }
    case 'MULTIPLE_DOCS':
      return invalid('a file holds one YAML document: remove the "---"', start);
    case 'UNEXPECTED_TOKEN':
      return unexpectedToken(message, start, text);
    default:
      return invalid(message, start);
  }
}

function unexpectedToken(message: string, start: number, text: string): YamlProblem {
  const around = valueAround(text, start);
  const quoted = inQuotes(around?.value);
  if (around?.value.startsWith('*') === true && quoted !== undefined)
    return needsQuotes(`a text that begins with * needs quotes: ${quoted}`, around.offset);
  if (!/["']\s*$/.test(text.slice(0, start))) return invalid(message, start);
  const fix = quoted === undefined ? 'put the whole value in quotes of the other kind' : `write ${quoted}`;
  return needsQuotes(`nothing can follow a closing quote: ${fix}`, start);
}

/** The value on the line of an offset, if it starts on that line and is not a collection. */
function valueAround(text: string, at: number): { value: string; offset: number } | undefined {
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const line = /^.*/.exec(text.slice(lineStart))?.[0] ?? '';
  const [, before = '', value = ''] = /^(\s*(?:- +)*(?:[A-Za-z_][\w.-]*: +)?)(.*?)\s*$/.exec(line) ?? [];
  return value === '' || /^(?:\[|\{(?!\{)|[|>])/.test(value)
    ? undefined
    : { value, offset: lineStart + before.length };
}

/** A text in quotes of a kind that it does not contain; undefined when it contains both. */
function inQuotes(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const inner = /^"\{\{.*".*"$/.test(value) && !/\}\}"\s*[=!<>]/.test(value) ? value.slice(1, -1) : value;
  if (!inner.includes("'")) return `'${inner}'`;
  return inner.includes('"') || inner.includes('\\') ? undefined : `"${inner}"`;
}
