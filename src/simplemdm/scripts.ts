import { z } from 'zod';
import type { Upload } from './request.js';
import { fetchAll, fetchPage, fetchRecord, send } from './resource.js';
import type { Page, PageOptions } from './resource.js';
import type { Transport } from './transport.js';
import { flag, text } from './field-types.js';

const script = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({
    name: z.string(),
    content: text,
    variable_support: flag,
    created_at: text,
    updated_at: text,
  }),
});

/** A script of the account. */
export type Script = z.output<typeof script>;

/** What can be set of a script. */
export interface ScriptChanges {
  readonly name?: string;
  /** Begins with a shebang such as `#!/bin/sh`. */
  readonly file?: Upload;
  readonly variableSupport?: boolean;
}

/** A script to create. */
export interface NewScript extends ScriptChanges {
  readonly name: string;
  readonly file: Upload;
}

const LIST = { route: '/scripts' };

/** API reference, section Scripts. Some subscriptions have none. */
export function createScripts(transport: Transport) {
  const one = (scriptId: number) => ({ route: '/scripts/{SCRIPT_ID}', params: { SCRIPT_ID: scriptId } });
  return {
    /** List all: `GET /scripts`. */
    list: (): AsyncGenerator<Script> => fetchAll(transport, LIST, script),

    /** One page of {@link list}. */
    listPage: (page?: PageOptions): Promise<Page<Script>> => fetchPage(transport, LIST, script, page),

    /** Retrieve one: `GET /scripts/{SCRIPT_ID}`. */
    retrieve: (scriptId: number): Promise<Script> =>
      fetchRecord(transport, { method: 'GET', ...one(scriptId) }, script),

    /**
     * Create: `POST /scripts`.
     *
     * @throws SimpleMdmError 422 when the file does not begin with a shebang.
     */
    create: (given: NewScript): Promise<Script> =>
      fetchRecord(transport, { method: 'POST', ...LIST, ...partsOf(given) }, script),

    /**
     * Update: `PATCH /scripts/{SCRIPT_ID}`. Jobs that exist keep what they had.
     *
     * @throws SimpleMdmError 422 when the file does not begin with a shebang.
     */
    update: (scriptId: number, changes: ScriptChanges): Promise<Script> =>
      fetchRecord(
        transport,
        { method: 'PATCH', ...one(scriptId), ...partsOf(changes), idempotent: true },
        script,
      ),

    /** Delete: `DELETE /scripts/{SCRIPT_ID}`. Jobs that exist stay. */
    delete: (scriptId: number): Promise<number> => send(transport, { method: 'DELETE', ...one(scriptId) }),
  };
}

function partsOf({ name, file, variableSupport }: ScriptChanges) {
  return {
    body: { name, ...(variableSupport !== undefined && { variable_support: variableSupport ? 1 : 0 }) },
    ...(file && { files: { file } }),
  };
}
