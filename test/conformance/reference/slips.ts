/** A slip of the reference: where it stands, how it is mended, and why it must be one. */
export interface Slip {
  /** Section and title of the call. */
  readonly where: string;
  readonly found: RegExp;
  readonly mended: string;
  readonly reason: string;
}

/** Every slip that the reader mends. One that is not found any more fails the suite. */
export const SLIPS: readonly Slip[] = [
  {
    where: 'Assignment Groups / List all',
    found: /,\s*\.\.\.\s*\]/,
    mended: ']',
    reason: 'a list is cut short with dots',
  },
  {
    where: 'Assignment Groups / Unassign device',
    found: /\/device\/87/,
    mended: '/devices/87',
    reason: 'the curl example has /device/, the call below it /devices/',
  },
  {
    where: 'Custom Configuration Profiles / List all',
    found: /(f1992d")(\s*"user_scope")/,
    mended: '$1,$2',
    reason: 'a comma is missing after profile_identifier',
  },
  {
    where: 'Custom Configuration Profiles / List all',
    found: /"type": "device group"/,
    mended: '"type": "device_group"',
    reason: 'the type has an underscore everywhere else',
  },
  {
    where: 'Custom Configuration Profiles / Create',
    found: /custom_configuration_profiles\/$/m,
    mended: 'custom_configuration_profiles',
    reason: 'the slash at the end belongs to no call',
  },
  {
    where: 'Devices / List all',
    found: /,\s*\.\.\.\s*\]/,
    mended: ']',
    reason: 'a list is cut short with dots',
  },
  {
    where: 'Devices / Create',
    found: / => /g,
    mended: ': ',
    reason: 'a Ruby hash stands in place of JSON',
  },
  {
    where: 'Devices / Create',
    found: /: nil\b/g,
    mended: ': null',
    reason: 'a Ruby hash stands in place of JSON',
  },
  {
    where: 'Devices / List installed apps',
    found: /,\s*\.\.\.\s*\]/,
    mended: ']',
    reason: 'a list is cut short with dots',
  },
  {
    where: 'Device Groups / Assign device',
    found: /202 No Content/,
    mended: '202 Accepted',
    reason: 'status and words do not belong together; the call is asynchronous, which is 202',
  },
  {
    where: 'Enrollments / Delete',
    found: /^GET (\S+)\/enrollments$/m,
    mended: 'DELETE $1/enrollments/{ENROLLMENT_ID}',
    reason: 'the call of the list stands under Delete; later editions have DELETE /enrollments/{id}',
  },
  {
    where: 'Enrollments / Delete',
    found: /^curl \S+\/enrollments \\/m,
    mended: 'curl https://a.simplemdm.com/api/v1/enrollments/5 -X DELETE \\',
    reason: 'the curl example of the list stands under Delete',
  },
  {
    where: 'Push Certificate / Update',
    found: /push_certificate\/scsr \\/,
    mended: 'push_certificate -X PUT \\',
    reason: 'the curl example posts to the signed CSR, the call above it is PUT /push_certificate',
  },
  {
    where: 'Script Jobs / List all',
    found: /"completed",(\s*\})/,
    mended: '"completed"$1',
    reason: 'a comma stands before a closing brace',
  },
  {
    where: 'Script Jobs / Cancel Job',
    found: /\{SCRIPT_ID\}/,
    mended: '{SCRIPT_JOB_ID}',
    reason: 'it is the job that is cancelled, and its id that the curl example has',
  },
];
