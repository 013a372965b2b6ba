import { nearestName } from '../errors/did-you-mean.js';
import type { Path } from './model/problem.js';
import { shapeAt } from './model/shape-path.js';
import type { NamedField } from './model/vocabulary.js';
import type { Scope } from './scope.js';

/** Warns of fields of `event.data` that the listened types are not known to have. SimpleMDM may add fields, so this is no error. */
export function checkEventData(fields: readonly NamedField[], scope: Scope, path: Path): void {
  for (const { name, offset } of fields) {
    const likely = likelyField(name, scope);
    if (likely === undefined) continue;
    const types = scope.eventTypes.join(', ');
    const message = `the data of ${types} has no known field "${name}"; did you mean event.data.${likely}?`;
    scope.warn({ code: 'rule/unknown-field', path, offset, message });
  }
}

/** The field that the author probably meant; undefined when a type has the field, or may have any. */
function likelyField(name: string, { eventTypes, vocabulary: { eventData } }: Scope): string | undefined {
  const shapes = eventTypes.map((type) => (Object.hasOwn(eventData, type) ? eventData[type] : undefined));
  for (const shape of shapes) {
    // The data of a pattern or of an unknown type may have any field.
    if (typeof shape !== 'object' || !('fields' in shape) || Object.hasOwn(shape.fields, name))
      return undefined;
  }
  const [shape] = shapes;
  if (typeof shape !== 'object' || !('fields' in shape)) return undefined;
  const parent = Object.keys(shape.fields).find((field) => shapeAt(shape, [field, name]) !== undefined);
  return parent === undefined ? nearestName(name, Object.keys(shape.fields)) : `${parent}.${name}`;
}
