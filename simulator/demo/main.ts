import { once } from 'node:events';
import { parseArgs, styleText } from 'node:util';
import { z } from 'zod';
import { waitFor } from './processes.js';
import type { ChatMessage } from './chat.js';
import { openStage } from './stage.js';
import type { LoggedCall, Stage } from './stage.js';

const print = (text = ''): void => void process.stdout.write(`${text}\n`);
const bold = (text: string): string => (process.stdout.isTTY ? styleText('bold', text) : text);
const dim = (text: string): string => (process.stdout.isTTY ? styleText('dim', text) : text);

const enrolled = z.object({ data: z.object({ id: z.number(), name: z.string() }) });

/** What the demo makes happen, in order. */
async function play(stage: Stage): Promise<{ macbook: number }> {
  const enroll = async (kind: string, name: string): Promise<number> => {
    const { data } = enrolled.parse(await stage.cause('POST', '/devices', { kind, name }));
    print(`  ${data.name} enrolls ${dim(`(device ${data.id})`)}`);
    return data.id;
  };
  print(bold('In the simulated SimpleMDM'));
  const macbook = await enroll('macbook', "Ada's MacBook");
  await enroll('iphone', "Grace's iPhone");
  await enroll('apple_tv', 'Meeting room TV');
  await stage.cause('POST', '/business-manager', {});
  print('  a new Mac appears in Apple Business Manager');
  await stage.cause('DELETE', '/devices/98');
  print('  an iPad leaves');
  await stage.cause('POST', '/test-event');
  print('  the admin presses "send test webhook"');
  print();
  return { macbook };
}

/** Events that the demo causes itself, and the two that its own group assignments cause at SimpleMDM. */
const EVENTS_EXPECTED = 8;
const AT_REST = new Set(['completed', 'failed', 'no_match']);

async function settled(stage: Stage): Promise<void> {
  await waitFor('all events are handled', async () => {
    const events = await stage.events();
    return events.length >= EVENTS_EXPECTED && events.every((event) => AT_REST.has(event.status));
  });
  await waitFor('the chat has been told', () => Promise.resolve(stage.messages().length > 0));
}

/** The three actions as the simulator must have received them, and what the chat must have been told. */
function checks(
  calls: readonly LoggedCall[],
  messages: readonly ChatMessage[],
  macbook: number,
): { what: string; ok: boolean }[] {
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
      what: "Ada's MacBook was put in the group Laptops",
      ok: received('POST', `/device_groups/41/devices/${macbook}`, 202),
    },
    {
      what: 'the script "Say hi" was started on it',
      ok: received('POST', '/script_jobs', 201, { script_id: '31', device_ids: String(macbook) }),
    },
    {
      what: 'an enrollment invitation was sent to it@example.org',
      ok: received('POST', '/enrollments/6/invitations', 200, { contact: 'it@example.org' }),
    },
    {
      what: 'the chat was told that it joined, and how the script went',
      ok: messages.some(
        ({ title, text }) => title === "Ada's MacBook joined" && text === 'The script ended with code 0',
      ),
    },
  ];
}

async function demo(onlyOnce: boolean): Promise<boolean> {
  print(dim('starting the simulator, mdm-reflex and its private Redis …'));
  const stage = await openStage();
  try {
    const { macbook } = await play(stage);
    await settled(stage);
    print(
      bold('What mdm-reflex made of it') + dim('  (mdm-reflex events show ID prints the same for any event)'),
    );
    for (const event of await stage.events()) print(`\n${(await stage.show(event.id)).trimEnd()}`);
    const calls = await stage.calls();
    const results = checks(calls, stage.messages(), macbook);
    const events = await stage.events();
    const failed = events.filter((event) => event.status === 'failed').length;
    print();
    print(bold('What the chat was told'));
    for (const { title, text } of stage.messages()) print(`  ${title}\n  ${dim(text.replaceAll('\n', ' '))}`);
    print();
    print(bold('What the simulated SimpleMDM received'));
    for (const { what, ok } of results) print(`  ${ok ? '✔' : '✘'} ${what}`);
    print(
      `  ${dim(`${events.length} webhooks sent, ${calls.length} API calls received, ${failed} events failed`)}`,
    );
    print();
    const good = failed === 0 && results.every((result) => result.ok);
    if (!onlyOnce) await stayUp(stage);
    return good;
  } finally {
    await stage.close();
  }
}

async function stayUp(stage: Stage): Promise<void> {
  print(bold('It stays up. Where to look:'));
  print(`  the console        ${stage.serviceUrl}/  (token: ${stage.adminToken})`);
  print(
    `  events as JSON     curl -H "Authorization: Bearer ${stage.adminToken}" ${stage.serviceUrl}/api/events`,
  );
  print(`  health, metrics    ${stage.serviceUrl}/readyz  ${stage.serviceUrl}/metrics`);
  print(
    `  enroll one more    curl -X POST ${stage.simulatorUrl}/__simulator/devices -H 'content-type: application/json' -d '{"kind":"macbook"}'`,
  );
  print('  the rules          rules/demo/onboarding.yaml');
  print(dim('Ctrl-C stops everything.'));
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  print(dim('\nstopping …'));
}

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
try {
  const good = await demo(values.once);
  print(good ? 'The demo did all it should.' : 'Something is missing: see ✘ above.');
  process.exitCode = good ? 0 : 1;
} catch (error) {
  process.stderr.write(`script/demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
