/**
 * Trivial authenticated GETs over 32 connections. Arguments: seconds, who, Python interpreter. `seconds` of the result is the time of
 * one request at that load: wall time ÷ answers.
 */

import { startContender } from './contender.js';
import { load } from './load.js';
import { milliseconds, print } from './printed.js';
import { watchMemory } from './process-memory.js';
import { inFolder } from './served.js';

const [seconds, who, python] = process.argv.slice(2);
const CONNECTIONS = 32;

await inFolder(async (folder) => {
  const server = await startContender(who, python, folder);
  try {
    const statusOf = async (headers: Readonly<Record<string, string>>) => (await fetch(server.me, { headers })).status;
    const check = {
      withKey: await statusOf(server.headers),
      withoutKey: await statusOf({}),
      otherKey: await statusOf({ authorization: `${server.headers.authorization}x` }),
    };
    const wish = { url: server.me, headers: server.headers, connections: CONNECTIONS };
    await load({ ...wish, seconds: Math.min(2, Number(seconds)) });
    const watch = watchMemory(server.roots);
    const { perSecond, failures, p99Ms, tool } = await load({ ...wish, seconds: Number(seconds) });
    const peakBytes = watch.stop();
    if (failures > 0) throw new Error(`${failures} requests failed`);
    print({
      seconds: 1 / perSecond,
      peakBytes,
      check,
      figures: [`${Math.round(perSecond)}/s`, `p99 ${milliseconds(p99Ms)}`, tool],
    });
  } finally {
    await server.stop();
  }
});
process.exit(0);
