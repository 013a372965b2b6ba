import type { ApiRequest, Parameter } from './request.js';

/** Secret fields of a device record (API reference, Devices). They must not reach the rest of the service. */
const SECRET_FIELDS = new Set(['filevault_recovery_key', 'firmware_password', 'recovery_lock_password']);

/**
 * A JSON.parse reviver that drops the secret fields of devices and the values of custom attributes marked `secret`, so that no
 * code of this process can leak them.
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

/** Arguments of calls that are secret: PINs and passwords. */
const SECRET_ARGUMENTS = new Set(['pin', 'new_password']);

/** The body of a request as traces and logs show it: secrets redacted, files by name and size. */
export function redactedBody({ body, files, json }: ApiRequest): Record<string, Parameter> | undefined {
  const fields: [string, Parameter][] = [];
  for (const [name, value] of Object.entries(body ?? {})) {
    if (value === undefined) continue;
    if (SECRET_ARGUMENTS.has(name)) fields.push([name, '[redacted]']);
    else fields.push([name, typeof value === 'object' ? value.join(',') : value]);
  }
  for (const [name, file] of Object.entries(files ?? {})) {
    if (file === undefined) continue;
    fields.push([name, `${file instanceof File ? `${file.name}, ` : ''}${file.size} bytes`]);
  }
  if (json !== undefined) fields.push(['json', JSON.stringify(json)]);
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}
