import { AsyncLocalStorage } from 'node:async_hooks';

/** A part of an answer that could not be used. The rest of the answer was. Never holds a value: values can be secret. */
export interface AnswerWarning {
  readonly kind: 'unreadable_field' | 'unreadable_record' | 'incomplete_list';
  /** The resource as in the path of the call: `devices`, `installed_apps`. */
  readonly resource: string;
  /** The id of the record, if the warning is about a record that has one. */
  readonly recordId?: string | number;
  /** The path of the field in the schema, such as `firewall.enabled` or `ethernet_macs[]`. */
  readonly field?: string;
  /** The warning as text. */
  readonly text: string;
}

const storage = new AsyncLocalStorage<AnswerWarning[]>();

/** Adds a warning to the enclosing {@link recordWarnings}, if there is one. */
export function recordWarning(warning: AnswerWarning): void {
  storage.getStore()?.push(warning);
}

/** Runs a task and collects the warnings about the answers that the task reads. */
export async function recordWarnings<T>(warnings: AnswerWarning[], task: () => Promise<T>): Promise<T> {
  return storage.run(warnings, task);
}

/** Like {@link recordWarnings}, and adds the warnings to the enclosing one too. */
export async function alsoRecordWarnings<T>(warnings: AnswerWarning[], task: () => Promise<T>): Promise<T> {
  try {
    return await recordWarnings(warnings, task);
  } finally {
    for (const warning of warnings) recordWarning(warning);
  }
}

/** The resource of a route: `installed_apps` for `/devices/{DEVICE_ID}/installed_apps`. */
export function resourceOf(route: string): string {
  return route.split('/').findLast((part) => part !== '' && !part.startsWith('{')) ?? route;
}
