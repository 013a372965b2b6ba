/** What to write instead of a key that other tools have and rules have not. A name that stands for one key is an alias instead. */
const ADVICE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  rule: {
    else: 'write a second rule with the opposite condition',
    priority: 'rules run side by side; what must be in order belongs into one rule, below "do:"',
    order: 'rules run side by side; what must be in order belongs into one rule, below "do:"',
    depends_on: 'rules run side by side; what must be in order belongs into one rule, below "do:"',
    needs: 'rules run side by side; what must be in order belongs into one rule, below "do:"',
    tags: 'write a description: it is shown in traces and messages',
    labels: 'labels are an argument of notify; for people, write a description',
    devices: 'write the devices as a condition, such as if: device.platform == "macOS"',
    platform: 'write if: device.platform == "macOS"',
    platforms: 'write if: device.platform in ["macOS", "iOS"]',
    group: 'write if: in_group("Laptops")',
    groups: 'write if: in_group("Laptops") || in_group("Lab")',
    schedule: `write on: { schedule: '0 8 * * 1-5', for_each: devices }`,
    cron: `write on: { schedule: '0 8 * * 1-5', for_each: devices }`,
    every: `write on: { schedule: '0 * * * *', for_each: devices }`,
    dry_run: 'write mode: dry_run',
    test: 'write mode: dry_run',
    disabled: 'write enabled: false',
    timeout: 'write timeout on a step',
    on_error: 'write on_error on a step',
    for_each: 'write for_each on a step, or on: { schedule: …, for_each: devices }',
    retries: 'failed calls are tried again by themselves',
    retry: 'failed calls are tried again by themselves',
  },
  step: {
    else: 'write a second step with the opposite condition in its "if:"',
    then: 'a step has one action: write the action beside "if:", such as log: hello',
    uses: 'write the name of the action as a key, such as run_script: { script: Say hi }',
    with: 'write the arguments below the name of the action, such as run_script: { script: Say hi }',
    args: 'write the arguments below the name of the action, such as run_script: { script: Say hi }',
    action: 'write the name of the action as a key, such as run_script: { script: Say hi }',
    type: 'write the name of the action as a key, such as run_script: { script: Say hi }',
    retries: 'failed calls are tried again by themselves; timeout: 10m limits how long',
    retry: 'failed calls are tried again by themselves; timeout: 10m limits how long',
    needs: 'steps run in order; a later step reads an earlier one as steps.<id>',
    depends_on: 'steps run in order; a later step reads an earlier one as steps.<id>',
    parallel: 'the steps of a rule run in order; write several rules for what may run side by side',
    stop: 'a failed step ends the run; write "if:" on the steps that have a condition',
    exit: 'a failed step ends the run; write "if:" on the steps that have a condition',
    output: 'write an id: later steps read the results as steps.<id>',
    register: 'write an id: later steps read the results as steps.<id>',
    send_command: 'each command is an action of its own, such as restart, lock or refresh',
    add_tag: 'SimpleMDM has no tags: write set_attribute: { name: …, value: … }',
  },
  argument: {
    with: 'write the arguments without "with"',
    args: 'write the arguments without "args"; scripts take none, but can read custom attributes',
    arguments: 'write the arguments without "arguments"; scripts take none, but can read custom attributes',
    auth: `write headers: { Authorization: 'Bearer \${env:TOKEN}' }`,
    token: `write headers: { Authorization: 'Bearer \${env:TOKEN}' }`,
    params: 'write them into the url, such as https://tickets.example.org/api?name={{ device.name }}',
    query: 'write them into the url, such as https://tickets.example.org/api?name={{ device.name }}',
    content_type: 'write headers: { Content-Type: … }; json and form set it',
    timeout: 'write timeout beside the action',
    id: 'write id beside the action',
    if: 'write if beside the action',
  },
};

/** Where an unknown key stands: a rule, a step, the arguments of an action. */
export type KeyPlace = 'rule' | 'step' | 'argument';

/** `: write …` for a key of another tool; undefined when nothing is known about it. */
export function adviceOnKey(key: string, place: KeyPlace): string | undefined {
  const known = ADVICE[place] ?? {};
  const name = key.toLowerCase().replaceAll('-', '_');
  return Object.hasOwn(known, name) ? `: ${known[name] ?? ''}` : undefined;
}
