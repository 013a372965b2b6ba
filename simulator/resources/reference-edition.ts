import { z } from 'zod';
import type { ApiResponse } from '../api/response.js';
import { blankNewerAttributes } from '../fleet/device-attributes.js';

/** What the reference lacks in the records of a type. */
interface Newer {
  attributes?: readonly string[];
  relationships?: readonly string[];
}

const uploaded = ['escape_attributes', 'reinstall_after_os_update'];

const newer: Readonly<Record<string, Newer>> = {
  app: { attributes: ['installation_channels', 'platform_support', 'processing_status'] },
  assignment_group: {
    attributes: ['priority', 'type', 'group_type', 'install_type', 'app_track_location'],
    relationships: ['profiles', 'media'],
  },
  custom_attribute_value: { attributes: ['secret', 'source'] },
  custom_configuration_profile: { attributes: uploaded },
  device: {
    attributes: Object.keys(blankNewerAttributes()),
    relationships: ['groups', 'custom_attribute_values'],
  },
  device_group: { relationships: ['devices'] },
  enrollment: { attributes: ['user_enrollment', 'welcome_screen', 'authentication'] },
  script_job: {
    attributes: ['job_name', 'custom_attribute_regex'],
    relationships: ['custom_attribute'],
  },
};

const record = z.looseObject({
  type: z.string(),
  attributes: z.looseObject({}).optional(),
  relationships: z.looseObject({}).optional(),
});
type ApiRecord = z.output<typeof record>;

const single = z.looseObject({ data: record });
const list = z.looseObject({ data: z.array(record) });

/** Leaves out everything that the reference lacks: what an account was years ago, for clients that must still read such records. */
export function inReferenceEdition(response: ApiResponse): ApiResponse {
  const one = single.safeParse(response.body).data;
  if (one !== undefined) return { ...response, body: { ...one, data: older(one.data) } };
  const many = list.safeParse(response.body).data;
  return many === undefined ? response : { ...response, body: { ...many, data: many.data.map(older) } };
}

function older({ type, attributes, relationships, ...rest }: ApiRecord): unknown {
  const left = newer[type] ?? {};
  const links = olderLinks(type, without(relationships, left.relationships));
  const kept = without(attributes, [
    ...(left.attributes ?? []),
    // The list of a device's profiles has no relationships, and no counts either.
    ...(relationships === undefined ? ['group_count', 'device_count'] : []),
  ]);
  return {
    type,
    ...rest,
    ...(kept !== undefined && { attributes: kept }),
    ...(links !== undefined && Object.keys(links).length > 0 && { relationships: links }),
  };
}

const links = z.looseObject({ data: z.array(z.looseObject({ type: z.string(), id: z.number() })) });

/** Links have a type and an id only; a one-time enrollment has no group. */
function olderLinks(
  type: string,
  relationships: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (relationships === undefined || type === 'script_job') return relationships;
  if (type === 'enrollment' && 'device' in relationships) return without(relationships, ['device_group']);
  return Object.fromEntries(
    Object.entries(relationships).map(([name, value]) => {
      const several = links.safeParse(value).data?.data;
      return [
        name,
        several === undefined ? value : { data: several.map((link) => ({ type: link.type, id: link.id })) },
      ];
    }),
  );
}

function without(
  fields: Readonly<Record<string, unknown>> | undefined,
  names: readonly string[] = [],
): Readonly<Record<string, unknown>> | undefined {
  return fields && Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
