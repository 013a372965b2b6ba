import { z } from 'zod';
import type { Upload } from './request.js';
import { fetchRecord, listOf, send } from './resource.js';
import type { Transport } from './transport.js';
import { flagField, textField } from './field-types.js';

const script = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: z.looseObject({
    name: textField,
    content: textField,
    variable_support: flagField,
    created_at: textField,
    updated_at: textField,
  }),
});

/** A script of the account. */
export type Script = z.output<typeof script>;

/** The changes of a script. */
export interface ScriptChanges {
  readonly name?: string;
  /** Starts with a shebang such as `#!/bin/sh`. */
  readonly file?: Upload;
  readonly variableSupport?: boolean;
}

/** A new script. */
export interface NewScript extends ScriptChanges {
  readonly name: string;
  readonly file: Upload;
}

const LIST = { route: '/scripts' };

/** API reference, section Scripts. Not part of every subscription. */
export function createScripts(transport: Transport) {
  const routeTo = (scriptId: number) => ({ route: '/scripts/{SCRIPT_ID}', params: { SCRIPT_ID: scriptId } });
  return {
    /** List all: `GET /scripts`. */
    ...listOf(transport, script, () => LIST),

    /** Retrieve one: `GET /scripts/{SCRIPT_ID}`. */
    retrieve: (scriptId: number): Promise<Script> =>
      fetchRecord(transport, { method: 'GET', ...routeTo(scriptId) }, script),

    /**
     * Create: `POST /scripts`.
     *
     * @throws SimpleMdmError 422 when the file does not start with a shebang.
     */
    create: (newScript: NewScript): Promise<Script> =>
      fetchRecord(transport, { method: 'POST', ...LIST, ...partsOf(newScript) }, script),

    /**
     * Update: `PATCH /scripts/{SCRIPT_ID}`. Existing jobs keep the old content.
     *
     * @throws SimpleMdmError 422 when the file does not start with a shebang.
     */
    update: (scriptId: number, changes: ScriptChanges): Promise<Script> =>
      fetchRecord(
        transport,
        { method: 'PATCH', ...routeTo(scriptId), ...partsOf(changes), idempotent: true },
        script,
      ),

    /** Delete: `DELETE /scripts/{SCRIPT_ID}`. Existing jobs stay. */
    delete: (scriptId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...routeTo(scriptId) }),
  };
}

function partsOf({ name, file, variableSupport }: ScriptChanges) {
  return {
    body: { name, ...(variableSupport !== undefined && { variable_support: variableSupport ? 1 : 0 }) },
    ...(file && { files: { file } }),
  };
}
