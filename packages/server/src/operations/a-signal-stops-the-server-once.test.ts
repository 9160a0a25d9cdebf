import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { stopOnSignals } from './stop-on-signals.js';

class FakeProcess extends EventEmitter {
  readonly exit = vi.fn() as unknown as NodeJS.Process['exit'];
}

const log = pino({ level: 'silent' });
const asProcess = (fake: FakeProcess) => fake as unknown as NodeJS.Process;

describe('a signal', () => {
  it('stops in order and then ends the process', async () => {
    const fake = new FakeProcess();
    let stopped = (): void => {};
    const stop = vi.fn(
      () =>
        new Promise<void>((resolve) => {
          stopped = resolve;
        }),
    );
    stopOnSignals({ log, stop, process: asProcess(fake) });
    fake.emit('SIGTERM', 'SIGTERM');
    expect(stop).toHaveBeenCalledTimes(1);
    expect(fake.exit).not.toHaveBeenCalled();
    stopped();
    await vi.waitFor(() => expect(fake.exit).toHaveBeenCalledWith(0));
  });

  it('the second time ends it at once', () => {
    const fake = new FakeProcess();
    const stop = vi.fn(() => new Promise<void>(() => {}));
    stopOnSignals({ log, stop, process: asProcess(fake) });
    fake.emit('SIGINT', 'SIGINT');
    fake.emit('SIGINT', 'SIGINT');
    expect(fake.exit).toHaveBeenCalledWith(130);
  });

  it('ends with 1 when stopping fails, and is not listened to after release', async () => {
    const fake = new FakeProcess();
    const release = stopOnSignals({ log, stop: () => Promise.reject(new Error('x')), process: asProcess(fake) });
    fake.emit('SIGTERM', 'SIGTERM');
    await vi.waitFor(() => expect(fake.exit).toHaveBeenCalledWith(1));
    release();
    expect(fake.listenerCount('SIGTERM')).toBe(0);
  });
});
