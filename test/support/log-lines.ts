import { Writable } from 'node:stream';

/** Collects what a logger writes. */
export function collectLog(): { readonly logTo: Writable; readonly log: () => string } {
  const lines: string[] = [];
  const logTo = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  return { logTo, log: () => lines.join('') };
}
