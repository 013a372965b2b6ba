import { describe, expect, test } from '@jest/globals';
import { createManualClock, createRealClock } from '../../../simulator/start.js';

describe('the manual clock', () => {
  test('runs tasks in the order of their due times', () => {
    const clock = createManualClock(new Date(0));
    const ran: [string, number][] = [];
    const record = (name: string) => () => void ran.push([name, clock.now().getTime()]);
    clock.after(20, record('late'));
    clock.after(10, record('early'));
    clock.after(10, () => clock.after(5, record('from within')));
    clock.after(10, record('canceled'))();
    clock.advance(19);
    expect(ran).toEqual([
      ['early', 10],
      ['from within', 15],
    ]);
    clock.advance(1);
    expect(ran.at(-1)).toEqual(['late', 20]);
  });

  test('keeps thousands of tasks in order, without canceled ones', () => {
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
  test('runs a task and cancels another', async () => {
    const clock = createRealClock();
    const started = clock.now().getTime();
    clock.after(0, () => {
      throw new Error('this task was canceled');
    })();
    await new Promise<void>((resolve) => {
      // The timer of the clock does not keep the process alive.
      const alive = setTimeout(() => undefined, 1000);
      clock.after(5, () => {
        clearTimeout(alive);
        resolve();
      });
    });
    expect(clock.now().getTime()).toBeGreaterThanOrEqual(started);
  });
});
