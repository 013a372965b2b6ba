import { envReferencesIn } from '../config/env-reference.js';
import type { Path, Report } from './model/problem.js';
import type { Vocabulary } from './model/vocabulary.js';

/** The form that shells and Compose files use. */
const SHELL_REFERENCE = /\$\{([A-Z][A-Z0-9_]*)\}/g;

/** `${device.name}` of JavaScript, `${{ device.name }}` of GitHub Actions. */
const OTHER_PLACEHOLDER =
  /\$\{\{?\s*((?:event|device|apps|attributes|group|steps|item|dep_device|account)(?:\.\w+)*)\s*\}?\}/g;

/** `{ device.name }` of Python. */
const SINGLE_BRACES =
  /(?<![{$])\{\s*((?:event|device|apps|attributes|group|steps|item|dep_device|account)(?:\.\w+)+)\s*\}(?!\})/g;

/** Reports variables in `${env:NAME}` that are not set, values in the form of other languages, and warns of the shell form `${NAME}`. */
export function checkEnvReferences(
  text: string,
  vocabulary: Vocabulary,
  path: Path,
  { report, warn }: { readonly report: Report; readonly warn: Report },
): void {
  for (const name of new Set(envReferencesIn(text))) {
    if (vocabulary.isEnvSet(name)) continue;
    const message = `the environment variable ${name} is not set: write it into .env, which a running service reads again within seconds, or set it and restart the service`;
    report({ code: 'rule/env-not-set', path, message });
  }
  for (const { 0: written, 1: inner = '', index } of text.matchAll(OTHER_PLACEHOLDER)) {
    const message = `${written} is not replaced: write {{ ${inner} }}`;
    report({ code: 'rule/invalid-template', path, offset: index, message });
  }
  for (const { 0: written, 1: inner = '', index } of text.matchAll(SINGLE_BRACES)) {
    const message = `${written} is not replaced; did you mean "{{ ${inner} }}"?`;
    warn({ code: 'rule/invalid-template', path, offset: index, message });
  }
  for (const { 1: name = '', index } of text.matchAll(SHELL_REFERENCE)) {
    const message = `\${${name}} is not replaced; did you mean "\${env:${name}}"?`;
    warn({ code: 'rule/env-misplaced', path, offset: index, message });
  }
}
