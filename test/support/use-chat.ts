import { afterEach, beforeEach } from '@jest/globals';
import { startChat } from './chat.js';
import type { Chat } from './chat.js';

/** Starts a chat service before each test of a file or block and closes it after the test. */
export function useChat(): Chat {
  let running: Chat | undefined;
  beforeEach(async () => {
    running = await startChat();
  });
  afterEach(async () => {
    await running?.close();
    running = undefined;
  });
  const current = (): Chat => {
    if (running === undefined) throw new Error('the chat service runs only during a test');
    return running;
  };
  return {
    get url() {
      return current().url;
    },
    requests: () => current().requests(),
    answerNext: (...answers) => current().answerNext(...answers),
    close: () => current().close(),
  };
}
