import { describe, expect, test } from '@jest/globals';
import { createManualClock, createRealClock } from '../../../simulator/start.js';

describe('the manual clock', () => {
  test('runs tasks in the order in which they fall due, at their time', () => {
    const clock = createManualClock(new Date(0));
    const ran: [string, number][] = [];
    const note = (name: string) => () => void ran.push([name, clock.now().getTime()]);
    clock.after(20, note('late'));
    clock.after(10, note('early'));
    clock.after(10, () => clock.after(5, note('from within')));
    clock.after(10, note('called off'))();
    clock.advance(19);
    expect(ran).toEqual([
      ['early', 10],
      ['from within', 15],
    ]);
    clock.advance(1);
    expect(ran.at(-1)).toEqual(['late', 20]);
  });

  test('keeps thousands of tasks in order, without those that were called off', () => {
    const clock = createManualClock(new Date(0));
    const ran: number[] = [];
    const due = Array.from({ length: 5000 }, (_, index) => (index * 7919) % 5000);
    const cancels = due.map((ms) => clock.after(ms, () => void ran.push(ms)));
    cancels.filter((_, index) => index % 5 === 0).forEach((cancel) => cancel());
    clock.advance(5000);
    expect(ran).toEqual(due.filter((_, index) => index % 5 !== 0).sort((a, b) => a - b));
  });
});

describe('the real clock', () => {
  test('runs a task, and calls one off', async () => {
    const clock = createRealClock();
    const started = clock.now().getTime();
    clock.after(0, () => {
      throw new Error('this one was called off');
    })();
    await new Promise<void>((resolve) => {
      // The clock's own timer does not keep a process alive, so the test has to.
      const alive = setTimeout(() => undefined, 1000);
      clock.after(5, () => {
        clearTimeout(alive);
        resolve();
      });
    });
    expect(clock.now().getTime()).toBeGreaterThanOrEqual(started);
  });
});
