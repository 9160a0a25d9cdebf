/**
 * Load and unload, by turns two models, through the REST API: memory, handles and processes of the server stay what they were.
 * ISOCENTER_LONG=1: 1,000 times, with figures on the way.
 */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { signNetwork } from '../registry/onnx/onnx-files.suite.js';
import { eventually, ServerProcess } from './server-process.suite.js';

// Whole servers on machines that are busy with other tests.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

const LONG = process.env.ISOCENTER_LONG !== undefined;
const TIMES = LONG ? 1_000 : 30;
const WARM_UP = LONG ? 100 : 6;
const MEGABYTE = 1024 * 1024;

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ environment: { ISOCENTER_COMPUTE_CHILDREN: '2' } });
});
afterAll(() => server?.close());

it(
  `${TIMES} loads and unloads leave nothing behind`,
  async () => {
    const client = server.client();
    const body = Buffer.from(signNetwork(['i', 'j', 'k']));
    const added = await client.models.add({
      name: 'sign',
      version: '1',
      kind: 'segmentation',
      structures: ['Up'],
      body,
    });
    const models = [added.address, 'ct-basic'];
    const figures = () => ({
      residentMegabytes: Math.round(server.residentBytes / MEGABYTE),
      handles: server.handles.length,
      processes: server.processes.length,
    });
    let before = figures();
    for (let n = 0; n <= TIMES; n++) {
      if (n === WARM_UP) before = figures();
      if (LONG && n % 250 === 0) console.log(JSON.stringify({ n, ...figures() }));
      const model = models[n % models.length];
      const warm = await client.models.warm({ model });
      expect(warm.state).toBe('idle');
      expect(server.processes.some(({ pid }) => pid === warm.pid)).toBe(true);
      expect(await client.models.evict({ model })).toEqual({ evicted: true });
      // Unloaded means that the process is gone, and its memory with it.
      await eventually('the child is gone', () => !server.processes.some(({ pid }) => pid === warm.pid));
    }
    expect((await client.compute.models({})).items).toEqual([]);
    await eventually('handles are as before', () => server.handles.length <= before.handles + 4);
    const after = figures();
    expect(after.residentMegabytes - before.residentMegabytes).toBeLessThan(64);
    expect(after.processes).toBeLessThanOrEqual(before.processes + 2);
    expect(await server.leavings()).toEqual([]);
  },
  LONG ? 3 * 3_600_000 : 300_000,
);
