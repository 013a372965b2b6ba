import { once } from 'node:events';
import { parseArgs, styleText } from 'node:util';
import { z } from 'zod';
import { waitFor } from './processes.js';
import type { ChatMessage } from './chat.js';
import { startEnvironment } from './environment.js';
import type { LoggedCall, Environment } from './environment.js';

const print = (text = ''): void => void process.stdout.write(`${text}\n`);
const bold = (text: string): string => (process.stdout.isTTY ? styleText('bold', text) : text);
const dim = (text: string): string => (process.stdout.isTTY ? styleText('dim', text) : text);

const enrolled = z.object({ data: z.object({ id: z.number(), name: z.string() }) });

/** Triggers the events of the demo. */
async function triggerEvents(environment: Environment): Promise<{ macbook: number }> {
  const enroll = async (kind: string, name: string): Promise<number> => {
    const { data } = enrolled.parse(await environment.control('POST', '/devices', { kind, name }));
    print(`  ${data.name} enrolls ${dim(`(device ${data.id})`)}`);
    return data.id;
  };
  print(bold('In the simulated SimpleMDM'));
  const macbook = await enroll('macbook', "Ada's MacBook");
  await enroll('iphone', "Grace's iPhone");
  await enroll('apple_tv', 'Meeting room TV');
  await environment.control('POST', '/business-manager', {});
  print('  a new Mac appears in Apple Business Manager');
  await environment.control('DELETE', '/devices/98');
  print('  an iPad unenrolls');
  await environment.control('POST', '/test-event');
  print('  the admin presses "send test webhook"');
  print(dim('  (as at SimpleMDM, the webhooks come seconds before the devices report their model)'));
  print();
  return { macbook };
}

/** Six events of the demo, and two that its group assignments cause at SimpleMDM. */
const EVENTS_EXPECTED = 8;
const FINAL_STATUSES = new Set(['completed', 'failed', 'no_match']);

async function waitForEvents(environment: Environment): Promise<void> {
  await waitFor('all events are processed', async () => {
    const events = await environment.events();
    return events.length >= EVENTS_EXPECTED && events.every((event) => FINAL_STATUSES.has(event.status));
  });
  await waitFor('the chat has a message', () => Promise.resolve(environment.messages().length > 0));
}

/** Checks the calls of three actions at the simulator, the message in the chat, and that a rule waited for inventory. */
function checks(
  calls: readonly LoggedCall[],
  messages: readonly ChatMessage[],
  macbook: number,
  traces: readonly string[],
): { text: string; ok: boolean }[] {
  const received = (
    method: string,
    path: string,
    status: number,
    body: Readonly<Record<string, string>> = {},
  ): boolean =>
    calls.some(
      (call) =>
        call.method === method &&
        call.path === path &&
        call.status === status &&
        Object.entries(body).every(
          ([name, value]) => String(z.record(z.string(), z.unknown()).parse(call.body)[name]) === value,
        ),
    );
  return [
    {
      text: 'a rule waited until the MacBook had reported its model',
      ok: traces.some((trace) => /onboard-laptops.*; waited \d+ s for inventory: /.test(trace)),
    },
    {
      text: "Ada's MacBook joined the group Laptops",
      ok: received('POST', `/device_groups/41/devices/${macbook}`, 202),
    },
    {
      text: 'the script "Say hi" started on it',
      ok: received('POST', '/script_jobs', 201, { script_id: '31', device_ids: String(macbook) }),
    },
    {
      text: 'SimpleMDM sent an enrollment invitation to it@example.org',
      ok: received('POST', '/enrollments/6/invitations', 200, { contact: 'it@example.org' }),
    },
    {
      text: 'the chat received a message with the result of the script',
      ok: messages.some(
        ({ title, text }) => title === "Ada's MacBook joined" && text === 'The script ended with code 0',
      ),
    },
  ];
}

async function demo(exitWhenDone: boolean): Promise<boolean> {
  print(dim('starting the simulator, mdm-reflex and a private Redis …'));
  const environment = await startEnvironment();
  try {
    const { macbook } = await triggerEvents(environment);
    await waitForEvents(environment);
    print(bold('What mdm-reflex did') + dim('  (the output of "mdm-reflex events show ID" for each event)'));
    const traces: string[] = [];
    for (const event of await environment.events()) {
      traces.push((await environment.show(event.id)).trimEnd());
      print(`\n${traces.at(-1) ?? ''}`);
    }
    const calls = await environment.calls();
    const results = checks(calls, environment.messages(), macbook, traces);
    const events = await environment.events();
    const failed = events.filter((event) => event.status === 'failed').length;
    print();
    print(bold('What the chat received'));
    for (const { title, text } of environment.messages())
      print(`  ${title}\n  ${dim(text.replaceAll('\n', ' '))}`);
    print();
    print(bold('Checks'));
    for (const { text, ok } of results) print(`  ${ok ? '✔' : '✘'} ${text}`);
    print(`  ${dim(`${events.length} webhooks, ${calls.length} API calls, ${failed} failed events`)}`);
    print();
    const passed = failed === 0 && results.every((result) => result.ok);
    if (!exitWhenDone) await keepRunning(environment);
    return passed;
  } finally {
    await environment.close();
  }
}

async function keepRunning(environment: Environment): Promise<void> {
  print(bold('The demo keeps running:'));
  print(`  console            ${environment.serviceUrl}/  (token: ${environment.adminToken})`);
  print(
    `  events as JSON     curl -H "Authorization: Bearer ${environment.adminToken}" ${environment.serviceUrl}/api/events`,
  );
  print(`  health, metrics    ${environment.serviceUrl}/readyz  ${environment.serviceUrl}/metrics`);
  print(
    `  enroll a device    curl -X POST ${environment.simulatorUrl}/__simulator/devices -H 'content-type: application/json' -d '{"kind":"macbook"}'`,
  );
  print('  rules              rules/demo/onboarding.yaml');
  print(dim('Press Ctrl-C to stop.'));
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  print(dim('\nstopping …'));
}

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
try {
  const passed = await demo(values.once);
  print(passed ? 'All checks passed.' : 'A check failed: see ✘ above, or an event with status failed.');
  process.exitCode = passed ? 0 : 1;
} catch (error) {
  process.stderr.write(`script/demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
