import type { ApiRequest, Parameter } from './request.js';

/** Live secrets of a device record (API reference, Devices): nothing behind the client ever sees them. */
const SECRET_FIELDS = new Set(['filevault_recovery_key', 'firmware_password', 'recovery_lock_password']);

/**
 * A JSON.parse reviver that leaves out device secrets, and the value of any custom attribute marked `secret`,
 * so that they never exist as values in this process.
 */
export function withoutSecrets(key: string, value: unknown): unknown {
  if (SECRET_FIELDS.has(key)) return undefined;
  if (
    typeof value === 'object' &&
    value !== null &&
    'secret' in value &&
    value.secret === true &&
    'value' in value
  ) {
    return { ...value, value: null };
  }
  return value;
}

/** Arguments of calls that are secrets: the codes that unlock a device, and passwords. */
const SECRET_ARGUMENTS = new Set(['pin', 'new_password']);

/** What a request sent, as traces and logs show it: no secrets, and of a file only its size and name. */
export function shownBody({ body, files, json }: ApiRequest): Record<string, Parameter> | undefined {
  const shown: [string, Parameter][] = [];
  for (const [name, value] of Object.entries(body ?? {})) {
    if (value === undefined) continue;
    if (SECRET_ARGUMENTS.has(name)) shown.push([name, '[redacted]']);
    else shown.push([name, typeof value === 'object' ? value.join(',') : value]);
  }
  for (const [name, file] of Object.entries(files ?? {})) {
    if (file === undefined) continue;
    shown.push([name, `${file instanceof File ? `${file.name}, ` : ''}${file.size} bytes`]);
  }
  if (json !== undefined) shown.push(['json', JSON.stringify(json)]);
  return shown.length === 0 ? undefined : Object.fromEntries(shown);
}
