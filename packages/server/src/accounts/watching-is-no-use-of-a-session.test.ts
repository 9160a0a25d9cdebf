/** An open stream of events asks again and again whether its session is good: that alone must not keep the session alive. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACCOUNT_DEFAULTS } from './account-settings.js';
import { type AccountsBench, accountsBench } from './accounts.suite.js';

const STEP_MS = ACCOUNT_DEFAULTS.sessionIdleMs / 4;

let bench: AccountsBench;
beforeAll(async () => {
  bench = await accountsBench();
});
afterAll(() => bench.close());

it.each([
  ['who only looks is signed out after the idle time', true, undefined],
  ['who uses the session stays signed in', false, 'person'],
])('%s', async (name, looking, kind) => {
  const { token } = await bench.person(name, 'clinician');
  for (let n = 0; n < 5; n++) {
    await bench.accounts.authenticate({ sessionToken: token, address: '10.0.0.1', looking });
    bench.pass(STEP_MS);
  }
  expect((await bench.accounts.authenticate({ sessionToken: token, address: '10.0.0.1', looking }))?.kind).toBe(kind);
});
