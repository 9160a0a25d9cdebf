/**
 * From the start of the process until it says that it is ready, on data that an earlier run left. Arguments: starts, who
 * (`isocenter`, `npm-start`, `orthanc`). The disk's pages are in memory: the start after a stop, not after a boot.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { readAddress } from '@isocenter/server/address';
import { benchFolder } from '../peers.js';
import { environmentOf, runIsocenter, startIsocenter } from './isocenter.js';
import { startOrthanc } from './orthanc.js';
import { median, milliseconds, print } from './printed.js';
import { memoryOf } from './process-memory.js';
import { freePort, inFolder, isOk, type Program, startProgram, until } from './served.js';

const [starts, who] = process.argv.slice(2);
const REPOSITORY = join(benchFolder, '..');

interface Start {
  readonly program: Program;
  readonly port: number;
  readonly ready: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

await inFolder(async (folder) => {
  const start = await prepare(folder);
  const accepts: number[] = [];
  const ready: number[] = [];
  let peakBytes = 0;
  for (let n = 0; n < Number(starts); n++) {
    const from = performance.now();
    const { program, port, ready: isReady, stop } = await start();
    try {
      // Asked by connecting, not over HTTP: that comes after.
      await until(program, () => isOpen(port));
      accepts.push(performance.now() - from);
      await isReady();
      ready.push(performance.now() - from);
      peakBytes = Math.max(peakBytes, memoryOf([program.pid]));
    } finally {
      await stop();
    }
  }
  print({
    seconds: median(ready) / 1000,
    peakBytes,
    check: null,
    figures: [
      `port open after ${milliseconds(median(accepts))}`,
      `ready ${milliseconds(Math.min(...ready))} to ${milliseconds(Math.max(...ready))}`,
    ],
  });
});
process.exit(0);

async function prepare(folder: string): Promise<() => Promise<Start>> {
  if (who === 'orthanc') {
    const first = await startOrthanc(folder, 'sqlite');
    await first.ready();
    await first.stop();
    return async () => {
      const { program, url, ready, stop } = await startOrthanc(folder, 'sqlite');
      return { program, port: Number(new URL(url).port), ready, stop };
    };
  }
  const home = join(folder, 'home');
  await (await startIsocenter(home)).stop();
  return async () => {
    const port = await freePort();
    const program =
      who === 'npm-start'
        ? startProgram(['npm', 'start', '--silent', '--', '--port', String(port)], {
            cwd: REPOSITORY,
            env: environmentOf(home),
          })
        : runIsocenter(home, ['--port', String(port)]);
    const ready = () => until(program, () => isOk(`http://127.0.0.1:${port}/health/ready`));
    // npm passes a signal on to its shell, which does not pass it on to ours.
    const stop = async () => {
      if (who !== 'npm-start') return program.stop();
      const exit = once(program.child, 'exit');
      process.kill(readAddress(home).pid, 'SIGTERM');
      await exit;
    };
    return { program, port, ready, stop };
  };
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
