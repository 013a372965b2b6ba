import { created, noContent, ok, unprocessable, type ApiResponse } from '../api/response.js';
import { page } from '../api/paging.js';
import { fileParam, flagParam, textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { Fleet, Script } from '../fleet/fleet.js';
import { timestamp } from '../timestamps.js';
import { retrieve, withRecord } from './retrieve.js';

/** The calls of the reference's section Scripts. */
export function scriptRoutes(fleet: Fleet): Route[] {
  const { scripts } = fleet;
  return [
    { method: 'GET', path: '/scripts', handle: (call) => page(call, scripts.values(), scriptRecord) },
    { method: 'POST', path: '/scripts', handle: (call) => createScript(fleet, call) },
    { method: 'GET', path: '/scripts/:id', handle: (call) => retrieve(call, scripts, scriptRecord) },
    {
      method: 'PATCH',
      path: '/scripts/:id',
      handle: (call) => withRecord(call, scripts, (script) => updateScript(fleet, call, script)),
    },
    {
      method: 'DELETE',
      path: '/scripts/:id',
      handle: (call) =>
        withRecord(call, scripts, ({ id }) => {
          scripts.delete(id);
          return noContent();
        }),
    },
  ];
}

function createScript(fleet: Fleet, call: Call): ApiResponse {
  const name = textParam(call.params, 'name');
  const content = fileParam(call.params, 'file')?.content.toString('utf8');
  if (name === undefined) return unprocessable('name is required');
  if (content === undefined) return unprocessable('file is required');
  if (!content.startsWith('#!')) return unprocessable('file must begin with a valid shebang');
  const at = timestamp(fleet.clock.now());
  const script: Script = {
    id: fleet.nextId('script'),
    name,
    content,
    variable_support: flagParam(call.params, 'variable_support') ?? false,
    created_at: at,
    updated_at: at,
  };
  fleet.scripts.set(script.id, script);
  return created({ data: scriptRecord(script) });
}

function updateScript(fleet: Fleet, call: Call, script: Script): ApiResponse {
  const content = fileParam(call.params, 'file')?.content.toString('utf8') ?? script.content;
  if (!content.startsWith('#!')) return unprocessable('file must begin with a valid shebang');
  Object.assign(script, {
    name: textParam(call.params, 'name') ?? script.name,
    content,
    variable_support: flagParam(call.params, 'variable_support') ?? script.variable_support,
    updated_at: timestamp(fleet.clock.now()),
  } satisfies Partial<Script>);
  return ok({ data: scriptRecord(script) });
}

function scriptRecord({ id, ...attributes }: Script) {
  return { type: 'script', id, attributes };
}
