import { z } from 'zod';
import { oneOf, type Random } from '../fleet/random.js';

/** The forms of webhooks that are not the documented one. */
export const ODD_FORMS = [
  'id_as_text',
  'no_id',
  'no_serial_number',
  'no_device',
  'no_time',
  'time_without_offset',
  'time_in_seconds',
  'data_as_text',
  'more_fields',
  'text_plain',
] as const;

export const oddForm = z.enum(ODD_FORMS);

export type OddForm = z.output<typeof oddForm>;

/** A webhook as it is posted. */
export interface PostedWebhook {
  readonly type: string;
  readonly body: string;
  readonly contentType?: string;
}

const webhook = z.looseObject({
  at: z.string(),
  data: z.looseObject({ device: z.record(z.string(), z.unknown()).optional() }),
});

/** Posts the same event in another form. */
export function oddWebhook(
  { type, body }: PostedWebhook,
  form: OddForm | undefined,
  random: Random,
): PostedWebhook {
  const chosen = form ?? oneOf(random, ODD_FORMS);
  if (chosen === 'text_plain') return { type, body, contentType: 'text/plain' };
  const parsed = webhook.parse(JSON.parse(body));
  return { type, body: JSON.stringify(inForm(parsed, chosen)) };
}

function inForm({ at, data, ...rest }: z.output<typeof webhook>, form: OddForm): unknown {
  const { device, ...more } = data;
  const changed = (fields: Readonly<Record<string, unknown>>) => ({
    ...rest,
    at,
    data: device === undefined ? data : { ...more, device: { ...device, ...fields } },
  });
  switch (form) {
    case 'id_as_text':
      return changed(typeof device?.['id'] === 'number' ? { id: String(device['id']) } : {});
    case 'no_id':
      return changed({ id: undefined });
    case 'no_serial_number':
      return changed({ serial_number: null });
    case 'no_device':
      return { ...rest, at, data: more };
    case 'no_time':
      return { ...rest, data };
    case 'time_without_offset':
      return { ...rest, at: new Date(at).toISOString().replace('Z', ''), data };
    case 'time_in_seconds':
      return { ...rest, at: Date.parse(at) / 1000, data };
    case 'data_as_text':
      return { ...rest, at, data: JSON.stringify(data) };
    case 'more_fields':
      return { ...rest, at, data, attempt: 2 };
    case 'text_plain':
      return { ...rest, at, data };
  }
}
