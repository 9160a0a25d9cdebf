/**
 * InnerEye-Inference, from the POST of a zip to its fetched contours, as curl would: upload, durable job, polls, result. Arguments: zip,
 * rounds. `seconds` is the median round; the model is warm after the first, which does not count.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDicom, readRtstruct } from '@isocenter/dicom';
import { openSources } from '@isocenter/formats';
import { startIsocenter } from './isocenter.js';
import { median, megabytes, print } from './printed.js';
import { memoryOf, watchMemory } from './process-memory.js';
import { inFolder } from './served.js';

const [zip, rounds] = [process.argv[2], Number(process.argv[3])];
const POLL_MS = 50;
const LONGEST_MS = 300_000;

await inFolder(async (folder) => {
  const server = await startIsocenter(join(folder, 'home'));
  // Our own key is taken where the clients of this protocol put their secret.
  const headers = { API_AUTH_SECRET: server.headers.authorization.replace('Bearer ', '') };
  const study = readFileSync(zip);
  const round = async (): Promise<Buffer> => {
    const started = await fetch(`${server.url}/v1/model/start/PassThroughModel:1729`, {
      method: 'POST',
      headers,
      body: study,
    });
    const run = await started.text();
    if (started.status !== 201) throw new Error(`start: ${started.status} ${run}`);
    const deadline = performance.now() + LONGEST_MS;
    for (;;) {
      const answer = await fetch(`${server.url}/v1/model/results/${run}`, { headers });
      const body = Buffer.from(await answer.arrayBuffer());
      if (answer.status === 200) return body;
      if (answer.status !== 202 || performance.now() > deadline) throw new Error(`results: ${answer.status} ${body}`);
      await sleep(POLL_MS);
    }
  };
  try {
    let result = await round();
    const before = memoryOf(server.roots);
    const watch = watchMemory(server.roots);
    const times: number[] = [];
    for (let n = 0; n < rounds; n++) {
      const from = performance.now();
      result = await round();
      times.push(performance.now() - from);
    }
    const peakBytes = watch.stop();
    print({
      seconds: median(times) / 1000,
      peakBytes,
      check: await contentOf(result),
      figures: [`durable, proven, erased; all processes, database too: ${megabytes(before)} before`],
    });
  } finally {
    await server.stop();
  }
});
process.exit(0);

/** Structures by name, and in how many slices each has contours. */
async function contentOf(result: Buffer): Promise<unknown> {
  const opened = await openSources(result);
  const set = readRtstruct(parseDicom(await opened.sources[0].read()));
  await opened.close();
  return Object.fromEntries(
    set.rois.map(({ name, contours }) => [name, new Set(contours.map(({ points }) => points[2])).size]),
  );
}
