import { envReferencesIn } from '../config/env-reference.js';
import { nearestName } from '../config/nearest-name.js';
import type { NamedField } from './cel/expression-paths.js';
import type { Path, Report } from './model/problem.js';
import { problemWithReference } from './references.js';
import { shapeAt } from './shape-path.js';
import { isTemplate } from './liquid/template.js';
import type {
  ActionSignature,
  NamedReference,
  ReferenceKind,
  Shape,
  Vocabulary,
} from './model/vocabulary.js';

/** What can be named at a place of a rule, and who is told what is wrong there. */
export interface Scope {
  readonly vocabulary: Vocabulary;
  /** What can be named beside the event and the facts. */
  readonly others: Readonly<Record<string, Shape>>;
  /** The accounts that the rule is for. */
  readonly accounts: readonly string[];
  /** The types of events that it listens for; some may be patterns. */
  readonly types: readonly string[];
  readonly report: Report;
  /** Told of what is only probably wrong. */
  readonly warn: Report;
}

/** A group or script that there is not is told when the file loads, not when the first device enrolls. */
export function checkReferences(
  { refersTo = {} }: ActionSignature,
  args: Readonly<Record<string, unknown>>,
  place: Path,
  scope: Scope,
): void {
  for (const [argument, kind] of Object.entries(refersTo)) {
    const given: unknown = Object.hasOwn(args, argument) ? args[argument] : undefined;
    const isList = Array.isArray(given);
    const all: unknown[] = isList ? given : [given];
    all.forEach((reference, index) => {
      const path = [...place, argument, ...(isList ? [index] : [])];
      if (typeof reference === 'string' || typeof reference === 'number')
        checkReference(kind, reference, path, scope);
    });
  }
}

function checkReference(
  kind: ReferenceKind,
  reference: string | number,
  path: Path,
  { vocabulary, accounts, report }: Scope,
  offset?: number,
): void {
  if (typeof reference === 'string' && (isTemplate(reference) || envReferencesIn(reference).length > 0))
    return;
  for (const account of accounts) {
    const where = vocabulary.accounts.length > 1 && kind !== 'channel' ? ` in the account "${account}"` : '';
    const message = problemWithReference(kind, reference, vocabulary.catalogs?.(account)[kind], where);
    if (message === undefined) continue;
    report({ path, message, ...(offset !== undefined && { offset }) });
    // The same name missing everywhere is one mistake.
    return;
  }
}

/** What a condition or a text names that is the account's own, or the webhook's. */
export function checkNamed(
  {
    references,
    eventData,
  }: { readonly references: readonly NamedReference[]; readonly eventData: readonly NamedField[] },
  scope: Scope,
  path: Path,
): void {
  for (const { kind, text, offset } of references) checkReference(kind, text, path, scope, offset);
  for (const { name, offset } of eventData) {
    const meant = meantInData(name, scope);
    if (meant === undefined) continue;
    const types = scope.types.join(', ');
    const message = `the data of ${types} has no "${name}" that is known; did you mean event.data.${meant}?`;
    scope.warn({ path, offset, message });
  }
}

/** What was probably meant by a field that the data of none of the types is known to have. */
function meantInData(name: string, { types, vocabulary: { eventData } }: Scope): string | undefined {
  const shapes = types.map((type) => (Object.hasOwn(eventData, type) ? eventData[type] : undefined));
  for (const shape of shapes) {
    // A pattern, or a type that is not known, may have anything.
    if (typeof shape !== 'object' || !('fields' in shape) || Object.hasOwn(shape.fields, name))
      return undefined;
  }
  const [shape] = shapes;
  if (typeof shape !== 'object' || !('fields' in shape)) return undefined;
  const within = Object.keys(shape.fields).find((field) => shapeAt(shape, [field, name]) !== undefined);
  return within === undefined ? nearestName(name, Object.keys(shape.fields)) : `${within}.${name}`;
}
