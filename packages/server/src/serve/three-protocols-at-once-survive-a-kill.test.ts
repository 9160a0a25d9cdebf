/**
 * Sixteen clients of three products at one server that is killed in the middle and started again: no answer is wrong, and what
 * was acknowledged comes. A minute with ISOCENTER_LONG=1, as the promise has it; shorter in CI.
 */

import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { SECRET } from '../protocols/innereye/innereye.suite.js';
import { startOldClients } from './old-clients.suite.js';
import { eventually, newHome, ServerProcess } from './server-process.suite.js';

const CLIENTS = 16;
const HALF_MS = (process.env.ISOCENTER_LONG ? 60_000 : 20_000) / 2;

let server: ServerProcess | undefined;
let home: string | undefined;
afterEach(async () => {
  await server?.close();
  if (home) await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

test('no wrong answer and no lost job, with a kill in the middle', async () => {
  home = await newHome();
  const environment = { CUSTOMCONNSTR_API_AUTH_SECRET: SECRET };
  server = await ServerProcess.start({ home, environment });
  const { port, url, pid } = server;
  const clients = await startOldClients(url, CLIENTS);
  await sleep(HALF_MS);
  const before = Object.values(clients.tallies).map(({ right }) => right);
  process.kill(pid, 'SIGKILL');
  await eventually('the server is dead', () => !server!.alive);
  server = await ServerProcess.start({ home, environment, arguments: ['--port', String(port)] });
  expect(server.url).toBe(url);
  await sleep(HALF_MS);
  await clients.stop();
  console.log(JSON.stringify(clients.tallies), 'right before the kill:', before.join(', '));
  for (const [name, { right, wrong, givenOnce }] of Object.entries(clients.tallies)) {
    expect(wrong, name).toEqual([]);
    expect(right, name).toBeGreaterThan(before[Object.keys(clients.tallies).indexOf(name)]!);
    // Only fetches that were on the wire in that moment.
    expect(givenOnce, name).toBeLessThanOrEqual(CLIENTS);
  }
  // Nothing of an image stays, also of those that came in while the server died.
  await eventually('no file is left', async () => (await server!.leavings()).length === 0, 120_000);
  const { items } = await server.client().jobs.list({ states: ['queued', 'running', 'failed'], limit: 100 });
  expect(items).toEqual([]);
}, 900_000);
