/** A file in a multipart body. */
export interface UploadedFile {
  filename: string;
  content: Buffer;
}

/** Reads the parts of a multipart/form-data body (RFC 7578). Throws for any other body. */
export function readMultipart(body: Buffer, contentType: string): [string, string | UploadedFile][] {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new Error('the content type has no boundary');

  // latin1 maps one byte to one character: the search for delimiters works on text and keeps every byte.
  const [preamble = '', ...rest] = `\r\n${body.toString('latin1')}`.split(`\r\n--${boundary}`);
  if (preamble !== '' || !rest.at(-1)?.startsWith('--')) throw new Error('the multipart body is incomplete');
  return rest.slice(0, -1).map(readPart);
}

function readPart(part: string): [string, string | UploadedFile] {
  const end = part.indexOf('\r\n\r\n');
  const headers = Buffer.from(part.slice(0, end), 'latin1').toString('utf8');
  const content = Buffer.from(part.slice(end + 4), 'latin1');
  const disposition = /^content-disposition:(.*)$/im.exec(headers)?.[1] ?? '';
  const name = /[\s;]name="([^"]*)"/i.exec(disposition)?.[1];
  const filename = /[\s;]filename="([^"]*)"/i.exec(disposition)?.[1];
  if (end < 0 || name === undefined) throw new Error('a multipart part has no name');
  return [name, filename === undefined ? content.toString('utf8') : { filename, content }];
}
