import { createHash } from 'node:crypto';
import { z } from 'zod';
import { created, noContent, ok, unprocessable, type ApiResponse } from '../api/response.js';
import { page } from '../api/paging.js';
import { fileParam, flagParam, textParam, type Params } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { Declaration, Fleet, Profile } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';
import { profileAssignmentRoutes, profileAttributes, profileRecord } from './profiles.js';
import { withRecord } from './retrieve.js';

const list = '/custom_declarations';

/** The calls about custom declarations: in no reference, used by several programs. A declaration is also in the list of profiles. */
export function customDeclarationRoutes(fleet: Fleet): Route[] {
  const own = {
    get: (id: number) => {
      const profile = fleet.profiles.get(id);
      return profile?.type === 'custom_declaration' ? profile : undefined;
    },
  };
  const show = (profile: Profile) => declarationRecord(fleet, profile);
  const declarations = () => [...fleet.profiles.values()].filter(({ id }) => own.get(id) !== undefined);
  return [
    { method: 'GET', path: list, handle: (call) => page(call, declarations(), show) },
    { method: 'POST', path: list, handle: (call) => createDeclaration(fleet, call) },
    {
      method: 'GET',
      path: `${list}/:id`,
      handle: (call) => withRecord(call, own, (profile) => ok({ data: show(profile) })),
    },
    {
      method: 'PATCH',
      path: `${list}/:id`,
      handle: (call) => withRecord(call, own, (profile) => updateDeclaration(fleet, call, profile)),
    },
    {
      method: 'GET',
      path: `${list}/:id/download`,
      handle: (call) =>
        withRecord(call, own, (profile) => ({
          status: 200,
          file: {
            content: Buffer.from(JSON.stringify(deviceDeclaration(profile))),
            type: 'application/json',
            name: `${profile.name}.json`,
          },
        })),
    },
    {
      method: 'DELETE',
      path: `${list}/:id`,
      handle: (call) =>
        withRecord(call, own, ({ id }) => {
          fleet.profiles.delete(id);
          for (const { profileIds } of fleet.assignmentGroups.values()) profileIds.delete(id);
          writeAdminLog(fleet, 'declaration.deleted', { declaration_id: id });
          return noContent();
        }),
    },
    // Groups get declarations like profiles.
    ...profileAssignmentRoutes(fleet, list, own).filter(({ path }) => path.includes('/devices/')),
  ];
}

const payloadSchema = z.record(z.string(), z.unknown());

/** The payload of a declaration: an uploaded file, JSON text, or a JSON object. */
function payloadParam(params: Params): Record<string, unknown> | undefined | 'invalid' {
  const given = payloadSchema.safeParse(params['payload']);
  const text = fileParam(params, 'payload')?.content.toString('utf8');
  if (text === undefined) return given.data;
  try {
    return payloadSchema.parse(JSON.parse(text));
  } catch {
    return 'invalid';
  }
}

function createDeclaration(fleet: Fleet, call: Call): ApiResponse {
  const name = textParam(call.params, 'name');
  const payload = payloadParam(call.params);
  const type = textParam(call.params, 'declaration_type');
  if (name === undefined) return unprocessable('name is required');
  if (payload === undefined) return unprocessable('payload is required');
  if (payload === 'invalid') return unprocessable('payload is not a JSON object');
  if (type === undefined) return unprocessable('declaration_type is required');
  const id = fleet.nextId('profile');
  const profile: Profile = {
    id,
    type: 'custom_declaration',
    name,
    profile_identifier: `com.unwiredmdm.${id.toString(16).padStart(32, '0')}`,
    user_scope: flagParam(call.params, 'user_scope') ?? true,
    attribute_support: flagParam(call.params, 'attribute_support') ?? false,
    escape_attributes: flagParam(call.params, 'escape_attributes') ?? false,
    reinstall_after_os_update: flagParam(call.params, 'reinstall_after_os_update') ?? false,
    content: Buffer.from(JSON.stringify(payload)),
    declaration: { type, activationPredicate: textParam(call.params, 'activation_predicate') ?? null },
    deviceGroupIds: new Set(),
    deviceIds: new Set(),
  };
  fleet.profiles.set(id, profile);
  writeAdminLog(fleet, 'declaration.created', { declaration_id: id });
  return created({ data: declarationRecord(fleet, profile) });
}

function updateDeclaration(fleet: Fleet, call: Call, profile: Profile): ApiResponse {
  const payload = payloadParam(call.params);
  if (payload === 'invalid') return unprocessable('payload is not a JSON object');
  const flag = (name: string, before: boolean) => flagParam(call.params, name) ?? before;
  const before = declarationOf(profile);
  Object.assign(profile, {
    name: textParam(call.params, 'name') ?? profile.name,
    user_scope: flag('user_scope', profile.user_scope),
    attribute_support: flag('attribute_support', profile.attribute_support),
    escape_attributes: flag('escape_attributes', profile.escape_attributes),
    reinstall_after_os_update: flag('reinstall_after_os_update', profile.reinstall_after_os_update),
    content: payload === undefined ? profile.content : Buffer.from(JSON.stringify(payload)),
    declaration: {
      type: textParam(call.params, 'declaration_type') ?? before.type,
      // An empty predicate removes the predicate.
      activationPredicate:
        'activation_predicate' in call.params
          ? (textParam(call.params, 'activation_predicate') ?? null)
          : before.activationPredicate,
    },
  } satisfies Partial<Profile>);
  writeAdminLog(fleet, 'declaration.updated', { declaration_id: profile.id });
  return ok({ data: declarationRecord(fleet, profile) });
}

function declarationOf({ declaration }: Profile): Declaration {
  return declaration ?? { type: '', activationPredicate: null };
}

function declarationRecord(fleet: Fleet, profile: Profile) {
  const { type, activationPredicate } = declarationOf(profile);
  return {
    ...profileRecord(fleet, profile),
    attributes: {
      ...profileAttributes(fleet, profile),
      declaration_type: type,
      activation_predicate: activationPredicate,
    },
  };
}

/** The declaration as a device gets it. The payload also has its name and its predicate. */
function deviceDeclaration(profile: Profile) {
  const { type, activationPredicate } = declarationOf(profile);
  return {
    Type: type,
    Identifier: profile.profile_identifier,
    ServerToken: createHash('sha256').update(profile.content).digest('hex'),
    Payload: {
      ...payloadSchema.parse(JSON.parse(profile.content.toString('utf8'))),
      declaration_name: profile.name,
      ...(activationPredicate !== null && { activation_predicate: activationPredicate }),
    },
  };
}
