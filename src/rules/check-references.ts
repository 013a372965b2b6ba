import { envReferencesIn } from '../config/env-reference.js';
import { isTemplate } from './liquid/template.js';
import type { Path } from './model/problem.js';
import type { ActionSignature, NamedReference, ReferenceKind } from './model/vocabulary.js';
import { problemWithEither, problemWithReference } from './reference-problem.js';
import type { Scope } from './scope.js';

/** Reports arguments that refer to objects which do not exist: when the file loads, not when the first device enrolls. */
export function checkArgumentReferences(
  { refersTo = {} }: Pick<ActionSignature, 'refersTo'>,
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
        // SimpleMDM compares the names of custom attributes without case.
        checkReference(kind, reference, path, scope, { ignoreCase: kind === 'custom attribute' });
    });
  }
}

/** Reports references in a condition or a template to objects which do not exist. */
export function checkNamedReferences(references: readonly NamedReference[], scope: Scope, path: Path): void {
  for (const { kind, or, text, offset } of references)
    checkReference(kind, text, path, scope, { offset, or });
}

function checkReference(
  kind: ReferenceKind,
  reference: string | number,
  path: Path,
  { vocabulary, accounts, report }: Scope,
  {
    offset,
    or,
    ignoreCase = false,
  }: { readonly offset?: number; readonly or?: ReferenceKind | undefined; readonly ignoreCase?: boolean },
): void {
  // Known only when the step runs.
  if (typeof reference === 'string' && (isTemplate(reference) || envReferencesIn(reference).length > 0))
    return;
  for (const account of accounts) {
    const where = vocabulary.accounts.length > 1 && kind !== 'channel' ? ` in the account "${account}"` : '';
    const catalog = vocabulary.catalogs?.(account);
    const problem =
      or === undefined
        ? problemWithReference(kind, reference, catalog?.[kind], { where, ignoreCase })
        : problemWithEither([kind, or], reference, catalog, where);
    if (problem === undefined) continue;
    report({ ...problem, path, ...(offset !== undefined && { offset }) });
    // A name that several accounts lack is one mistake.
    return;
  }
}
