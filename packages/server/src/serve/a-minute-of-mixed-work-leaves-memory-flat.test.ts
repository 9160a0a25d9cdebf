/**
 * A soak: all kinds of work at once; then memory, handles, connections and files are where they were after the first part.
 * ISOCENTER_LONG=1 runs it for 30 minutes (ISOCENTER_LONG=10: 10 minutes) and prints the curve.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Sample, sample, startMixedWork } from './mixed-work.suite.js';
import { eventually, ServerProcess } from './server-process.suite.js';

// Whole servers on machines that are busy with other tests.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

const { ISOCENTER_LONG: LONG } = process.env;
const MINUTES = LONG === undefined ? 1 : LONG === '1' ? 30 : Number(LONG);
const SAMPLES = 30;
/** The heap that is not collected yet may be anywhere below V8's own threshold; a leak of a soak is far more. */
const SLACK_MEGABYTES = 128;

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ environment: { ISOCENTER_COMPUTE_CHILDREN: '2' } });
});
afterAll(() => server?.close());

it(
  `${MINUTES} minutes of mixed work leave memory, handles, connections and files as they were`,
  async () => {
    const began = performance.now();
    const curve: Sample[] = [];
    const take = async () => {
      const now = await sample(server, began);
      curve.push(now);
      if (LONG !== undefined) console.log(JSON.stringify(now));
    };
    await take();
    const idle = curve[0];
    const work = await startMixedWork(server);
    for (let n = 0; n < SAMPLES; n++) {
      await sleep((MINUTES * 60_000) / SAMPLES);
      await take();
    }
    await work.stop();
    if (LONG !== undefined) console.log(JSON.stringify(work.counts), server.processes);
    expect(work.faults).toEqual([]);
    // Each lane did something, or the soak shows nothing.
    expect(Object.entries(work.counts).filter(([, count]) => count === 0)).toEqual([]);

    const half = curve.slice(1 + SAMPLES / 3, 1 + (2 * SAMPLES) / 3);
    const last = curve.slice(1 + (2 * SAMPLES) / 3);
    const least = (samples: readonly Sample[], field: keyof Sample) => Math.min(...samples.map((one) => one[field]));
    expect(least(last, 'residentMegabytes') - least(half, 'residentMegabytes')).toBeLessThan(SLACK_MEGABYTES);
    expect(least(last, 'heapMegabytes') - least(half, 'heapMegabytes')).toBeLessThan(SLACK_MEGABYTES / 2);
    expect(Math.max(...curve.map((one) => one.databaseConnections))).toBeLessThan(40);

    await eventually('no file of a request or job is left', async () => (await server.leavings()).length === 0);
    // Connections of clients and of the pool close when nobody uses them.
    await eventually('handles are as before', () => server.handles.length <= idle.handles + 20, 120_000);
    expect(server.alive && (await server.ready())).toBe(true);
  },
  (MINUTES + 10) * 60_000,
);
