import { didYouMean, nearestName } from '../errors/did-you-mean.js';

/** SimpleMDM has two kinds of groups. */
const GROUP_ACTIONS = ['assign_device_group', 'assign_assignment_group'];

/** Names from other tools, and what they are called here, the most likely first. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  when: ['on', 'if'],
  trigger: ['on'],
  triggers: ['on'],
  event: ['on'],
  events: ['on'],
  condition: ['if'],
  conditions: ['if'],
  where: ['if'],
  filter: ['if'],
  unless: ['if'],
  actions: ['do'],
  action: ['do'],
  steps: ['do'],
  then: ['do'],
  run: ['do', 'run_script'],
  name: ['id'],
  comment: ['description'],
  about: ['description'],
  dry_run: ['mode'],
  disabled: ['enabled'],
  confirm: ['allow'],
  approval: ['approve'],
  require_approval: ['approve'],
  on_resolve: ['on_clear'],
  on_false: ['on_clear'],
  once: ['once_per'],
  continue_on_error: ['on_error'],
  foreach: ['for_each'],
  loop: ['for_each'],
  with_items: ['for_each'],
  cron: ['schedule'],
  at: ['schedule'],
  every: ['schedule'],
  time_zone: ['timezone'],
  tz: ['timezone'],
  zone: ['timezone'],
  count: ['runs'],
  max: ['runs'],
  within: ['per'],
  webhook: ['url', 'http_request'],
  webhook_url: ['url'],
  body: ['json', 'form', 'text'],
  payload: ['json'],
  text: ['message', 'text'],
  msg: ['message'],
  subject: ['title'],
  dedup_key: ['key'],
  deduplication_key: ['key'],
  recipient: ['to'],
  recipients: ['to'],
  helo: ['hello'],
  ehlo: ['hello'],
  allowed_domains: ['to_domains'],
  send_email: ['notify'],
  send_mail: ['notify'],
  email: ['notify'],
  mail: ['notify'],
  slack: ['notify'],
  teams: ['notify'],
  send_message: ['notify', 'send_device_message'],
  send_alert: ['notify'],
  alert: ['notify'],
  message: ['notify', 'log', 'title', 'text'],
  http: ['http_request'],
  request: ['http_request'],
  curl: ['http_request'],
  print: ['log'],
  echo: ['log'],
  sleep: ['wait'],
  delay: ['wait'],
  pause: ['wait'],
  reboot: ['restart'],
  shutdown: ['shut_down'],
  erase: ['wipe'],
  script: ['run_script'],
  shell: ['run_script'],
  command: ['run_script'],
  bash: ['run_script'],
  execute: ['run_script'],
  exec: ['run_script'],
  assign_group: GROUP_ACTIONS,
  add_to_group: GROUP_ACTIONS,
  move_to_group: GROUP_ACTIONS,
  change_group: GROUP_ACTIONS,
  set_group: GROUP_ACTIONS,
  join_group: GROUP_ACTIONS,
  remove_from_group: ['unassign_assignment_group'],
  leave_group: ['unassign_assignment_group'],
  install_app: ['push_apps', 'assign_assignment_group'],
  install_apps: ['push_apps', 'assign_assignment_group'],
  install: ['push_apps', 'assign_assignment_group'],
  remove_app: ['uninstall_app'],
  install_profile: ['assign_profile'],
  push_profile: ['assign_profile'],
  remove_profile: ['unassign_profile'],
  set_name: ['rename'],
  rename_device: ['rename'],
  set_custom_attribute: ['set_attribute'],
  update_attribute: ['set_attribute'],
  lock_device: ['lock'],
  device_lock: ['lock'],
  wipe_device: ['wipe'],
  erase_device: ['wipe'],
  remote_wipe: ['wipe'],
  restart_device: ['restart'],
  reboot_device: ['restart'],
  update_inventory: ['refresh'],
  refresh_device: ['refresh'],
  inventory: ['refresh'],
  recon: ['refresh'],
  sync: ['refresh'],
  lost_mode: ['enable_lost_mode'],
  software_update: ['update_os'],
  update: ['update_os'],
  post: ['http_request'],
  get: ['http_request'],
  fetch: ['http_request'],
  call: ['http_request'],
  trigger_event: ['emit'],
  loop_over: ['for_each'],
  timeout_minutes: ['timeout'],
  timeout_seconds: ['timeout'],
  throttle: ['limit'],
  rate_limit: ['limit'],
  max_runs: ['limit'],
  data: ['json', 'form'],
  invite: ['send_invitation'],
};

/**
 * The known name that an unknown one was probably meant to be: by alias, else by spelling; undefined when none is likely.
 *
 * @param unused - The known names that are not present yet. An alias only stands for one of these.
 */
export function resolveAlias(
  name: string,
  known: readonly string[],
  unused: readonly string[] = known,
): string | undefined {
  return aliasesOf(name, unused)[0] ?? nearestName(name, known);
}

/** `; did you mean "x"?`, or an empty text when no name is likely. */
export function didYouMeanName(
  name: string,
  known: readonly string[],
  unused: readonly string[] = known,
): string {
  const others = aliasesOf(name, unused);
  return others.length === 0
    ? didYouMean(name, known)
    : `; did you mean ${others.map((other) => `"${other}"`).join(' or ')}?`;
}

function aliasesOf(name: string, known: readonly string[]): string[] {
  const key = name.toLowerCase().replaceAll('-', '_');
  const others = Object.hasOwn(ALIASES, key) ? ALIASES[key] : undefined;
  return (others ?? []).filter((other) => known.includes(other));
}
