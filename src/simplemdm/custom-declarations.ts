import { z } from 'zod';
import type { Download } from './api-response.js';
import { profileRelationships } from './profile-assignments.js';
import type { Upload } from './request.js';
import { changeAssignment, fetchRecord, listOf, send } from './resource.js';
import type { Transport } from './transport.js';
import { flagField, numberField, textField } from './field-types.js';

const customDeclaration = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({
    name: textField,
    /** Such as `com.apple.configuration.safari.bookmarks`. */
    declaration_type: textField,
    /** Devices apply the declaration only while this predicate is true. */
    activation_predicate: textField,
    profile_identifier: textField,
    user_scope: flagField,
    attribute_support: flagField,
    escape_attributes: flagField,
    reinstall_after_os_update: flagField,
    group_count: numberField,
    device_count: numberField,
  }),
  relationships: profileRelationships,
});

/** A declaration (declarative device management) that an admin uploaded. */
export type CustomDeclaration = z.output<typeof customDeclaration>;

/** The changes of a custom declaration. */
export interface CustomDeclarationChanges {
  readonly name?: string;
  /** The JSON of the declaration's payload. */
  readonly payload?: Upload;
  /** Such as `com.apple.configuration.safari.bookmarks`. */
  readonly declarationType?: string;
  /** On macOS: true for the user, false for the device; true by default at creation. */
  readonly userScope?: boolean;
  /** Whether SimpleMDM replaces variables in the payload; false by default at creation. */
  readonly attributeSupport?: boolean;
  /** Whether the values of variables are escaped. */
  readonly escapeAttributes?: boolean;
  readonly reinstallAfterOsUpdate?: boolean;
  /** A predicate in the syntax of Apple; always active when empty. */
  readonly activationPredicate?: string;
}

/** A new custom declaration. */
export interface NewCustomDeclaration extends CustomDeclarationChanges {
  readonly name: string;
  readonly payload: Upload;
  readonly declarationType: string;
}

const ROUTE = '/custom_declarations';

/** Custom declarations. No reference documents them; programs in use call them. The ids are ids of profiles. */
export function createCustomDeclarations(transport: Transport) {
  const routeTo = (declarationId: number, rest = '') => ({
    route: `${ROUTE}/{DECLARATION_ID}${rest}`,
    params: { DECLARATION_ID: declarationId },
  });
  const toDevice = (declarationId: number, deviceId: number) => ({
    route: `${ROUTE}/{DECLARATION_ID}/devices/{DEVICE_ID}`,
    params: { DECLARATION_ID: declarationId, DEVICE_ID: deviceId },
  });
  return {
    /** List all: `GET /custom_declarations`. */
    ...listOf(transport, customDeclaration, () => ({ route: ROUTE })),

    /** Retrieve one: `GET /custom_declarations/{DECLARATION_ID}`. */
    retrieve: (declarationId: number): Promise<CustomDeclaration> =>
      fetchRecord(transport, { method: 'GET', ...routeTo(declarationId) }, customDeclaration),

    /**
     * Create: `POST /custom_declarations`.
     *
     * @throws SimpleMdmError 422 when the payload is not JSON.
     */
    create: (newDeclaration: NewCustomDeclaration): Promise<CustomDeclaration> =>
      fetchRecord(transport, { method: 'POST', route: ROUTE, ...partsOf(newDeclaration) }, customDeclaration),

    /** Update: `PATCH /custom_declarations/{DECLARATION_ID}`. */
    update: (declarationId: number, changes: CustomDeclarationChanges): Promise<CustomDeclaration> =>
      fetchRecord(
        transport,
        { method: 'PATCH', ...routeTo(declarationId), ...partsOf(changes), idempotent: true },
        customDeclaration,
      ),

    /** Download: `GET /custom_declarations/{DECLARATION_ID}/download`: JSON with `Type`, `Identifier`, `ServerToken` and `Payload`. */
    download: (declarationId: number): Promise<Download> =>
      transport.download({ method: 'GET', ...routeTo(declarationId, '/download') }),

    /** Delete: `DELETE /custom_declarations/{DECLARATION_ID}`. */
    delete: (declarationId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...routeTo(declarationId) }),

    /** Assign to device: `POST /custom_declarations/{DECLARATION_ID}/devices/{DEVICE_ID}`. */
    assignToDevice: (declarationId: number, deviceId: number): Promise<number> =>
      changeAssignment(transport, { method: 'POST', ...toDevice(declarationId, deviceId) }),

    /** Unassign from device: `DELETE /custom_declarations/{DECLARATION_ID}/devices/{DEVICE_ID}`. */
    unassignFromDevice: (declarationId: number, deviceId: number): Promise<number> =>
      changeAssignment(transport, { method: 'DELETE', ...toDevice(declarationId, deviceId) }),
  };
}

function partsOf(changes: CustomDeclarationChanges) {
  const { payload } = changes;
  return {
    body: {
      name: changes.name,
      declaration_type: changes.declarationType,
      user_scope: changes.userScope,
      attribute_support: changes.attributeSupport,
      escape_attributes: changes.escapeAttributes,
      reinstall_after_os_update: changes.reinstallAfterOsUpdate,
      activation_predicate: changes.activationPredicate,
    },
    ...(payload && { files: { payload } }),
  };
}
