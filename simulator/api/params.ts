import { z } from 'zod';
import { readMultipart, type UploadedFile } from './multipart.js';

export type Params = Readonly<Record<string, unknown>>;

const jsonObject = z.record(z.string(), z.unknown());

/**
 * Reads the parameters of a request body: form, multipart or JSON.
 *
 * @returns undefined when the body does not match its content type.
 */
export function readParams(body: Buffer, contentType: string): Params | undefined {
  if (body.length === 0) return {};
  try {
    const type = contentType.toLowerCase();
    const boundary = type.includes('json') ? multipartBoundary(body) : undefined;
    if (boundary !== undefined)
      return fromPairs(readMultipart(body, `multipart/form-data; boundary="${boundary}"`));
    if (type.includes('json')) return jsonObject.parse(JSON.parse(body.toString('utf8')));
    if (type.startsWith('multipart/form-data')) return fromPairs(readMultipart(body, contentType));
    return fromPairs(new URLSearchParams(body.toString('utf8')));
  } catch {
    return undefined;
  }
}

/** The boundary of a multipart body that is sent as JSON: a program in use uploads files so, and real accounts take them. */
function multipartBoundary(body: Buffer): string | undefined {
  const start = body.subarray(0, 400).toString('latin1');
  return /^--([^\r\n"]{1,200})\r\ncontent-disposition:/i.exec(start)?.[1];
}

/** `name[]=a&name[]=b` becomes a list, as in Rails; of a repeated plain name the last value counts. */
export function fromPairs(pairs: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const params = new Map<string, unknown>();
  for (const [key, value] of pairs) {
    if (key.endsWith('[]')) {
      const name = key.slice(0, -2);
      const values = params.get(name);
      params.set(name, Array.isArray(values) ? [...z.array(z.unknown()).parse(values), value] : [value]);
    } else {
      params.set(key, value);
    }
  }
  return Object.fromEntries(params);
}

/** A text parameter; a JSON number or boolean becomes text. `undefined` when absent, null or blank. */
export function textParam(params: Params, name: string): string | undefined {
  const value = params[name];
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  return typeof text === 'string' && text.trim() !== '' ? text : undefined;
}

/** A boolean parameter: `true`, `True` and `1` are true, every other value is false. */
export function flagParam(params: Params, name: string): boolean | undefined {
  const text = textParam(params, name);
  return text === undefined ? undefined : ['true', '1'].includes(text.toLowerCase());
}

const uploadedFile = z.object({ filename: z.string(), content: z.instanceof(Buffer) });

/** An uploaded file; a text field of this name counts as its content. */
export function fileParam(params: Params, name: string): UploadedFile | undefined {
  const file = uploadedFile.safeParse(params[name]);
  if (file.success) return file.data;
  const text = textParam(params, name);
  return text === undefined ? undefined : { filename: '', content: Buffer.from(text) };
}

/** The parameters for the call log: of a file, only name and size. */
export function recordable(params: Params): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      const file = uploadedFile.safeParse(value);
      return [name, file.success ? { filename: file.data.filename, size: file.data.content.length } : value];
    }),
  );
}

/** Ids as `1,2,3`, as a JSON list, or as one number. `'malformed'` when one of them is not a number. */
export function idsParam(params: Params, name: string): number[] | undefined | 'malformed' {
  const value = params[name];
  const text = Array.isArray(value) ? value.map(String).join(',') : textParam(params, name);
  if (text === undefined || text.trim() === '') return undefined;
  const parts = text.split(',').map((part) => part.trim());
  return parts.every((part) => /^\d+$/.test(part)) ? parts.map(Number) : 'malformed';
}
