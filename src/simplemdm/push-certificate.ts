import { z } from 'zod';
import type { Upload } from './request.js';
import { fetchRecord } from './resource.js';
import type { Transport } from './transport.js';
import { textField } from './field-types.js';

const pushCertificate = z.looseObject({
  type: textField,
  attributes: z.looseObject({ apple_id: textField, expires_at: textField }),
});

/** The Apple push certificate of the account. */
export type PushCertificate = z.output<typeof pushCertificate>;

/** Real accounts return a string or a list of strings. */
const signedCsr = z.union([z.string(), z.array(z.string()).transform((parts) => parts.join(''))]);

const ROUTE = '/push_certificate';

/** API reference, section Push Certificate. */
export function createPushCertificate(transport: Transport) {
  return {
    /** Show: `GET /push_certificate`. */
    show: (): Promise<PushCertificate> =>
      fetchRecord(transport, { method: 'GET', route: ROUTE }, pushCertificate),

    /**
     * Update: `PUT /push_certificate`. Replaces the certificate. A certificate of another topic disconnects all enrolled devices.
     *
     * @throws SimpleMdmError 422 when the file is not a push certificate.
     */
    update: ({
      file,
      appleId,
    }: {
      readonly file: Upload;
      readonly appleId?: string;
    }): Promise<PushCertificate> =>
      fetchRecord(
        transport,
        { method: 'PUT', route: ROUTE, files: { file }, body: { apple_id: appleId } },
        pushCertificate,
      ),

    /** Get Signed CSR: `GET /push_certificate/scsr`: a property list in base64, ready for Apple. */
    getSignedCsr: (): Promise<string> =>
      fetchRecord(transport, { method: 'GET', route: `${ROUTE}/scsr` }, signedCsr),
  };
}
