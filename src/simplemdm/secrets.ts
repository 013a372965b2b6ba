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
