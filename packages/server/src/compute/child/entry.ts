/**
 * The compute child: loads one model, then runs whole tasks with it, from file to files, until it is killed. Decoding,
 * network, encoding and proofs all happen here, never in the server. Orders come one at a time.
 */
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { type Bundle, loadBundle, NetworkCache, warmNetwork } from '@isocenter/engine';
import { failureMessage } from './failure-message.js';
import type { ChildMessage, ChildReply, ChildStart, ParentMessage } from './messages.js';
import { runTask } from './run-task.js';
import { leaveNothing, watchParent } from './watch-parent.js';

/** Progress is for people: more often than this it only costs. */
const PROGRESS_EVERY_MS = 100;
/** Below the server and its database, which must answer while all cores compute. */
const NICENESS = 5;
/** When the system runs out of memory it shall take a child, whose task fails alone, and not the server. */
const OUT_OF_MEMORY_SCORE = '500';

const { home, threads } = JSON.parse(process.argv[2]) as ChildStart;
const networks = new NetworkCache();
const parent = watchParent(home);
let bundle: Bundle | undefined;
let results: string | undefined;

function say(message: ChildMessage): void {
  // A failed send is a parent that is gone; `disconnect` follows.
  process.send?.(message, undefined, undefined, () => {});
}

function clearUp(): never {
  leaveNothing(home, results);
  process.exit(1);
}

async function obey(order: ParentMessage): Promise<ChildReply> {
  if (order.kind === 'load') {
    const loaded = await loadBundle(order.folder);
    await warmNetwork(loaded, networks, threads);
    bundle = loaded;
    return { kind: 'loaded' };
  }
  if (!bundle) throw new Error('A task came before the model');
  results = order.outputFolder;
  parent.mind(results);
  let last = 0;
  try {
    return await runTask(order, bundle, { networks, threads }, (done, total, step) => {
      const now = performance.now();
      if (now - last < PROGRESS_EVERY_MS && done !== total) return;
      last = now;
      say({ kind: 'progress', done, total, step });
    });
  } finally {
    results = undefined;
    parent.mind(undefined);
  }
}

function bestEffort(change: () => void): void {
  try {
    change();
  } catch {
    // Not this system, or not allowed: everything works without.
  }
}

bestEffort(() => setPriority(NICENESS));
bestEffort(() => writeFileSync('/proc/self/oom_score_adj', OUT_OF_MEMORY_SCORE));
process.on('disconnect', clearUp);
process.on('message', async (order: ParentMessage) => {
  const reply = await obey(order).catch(failureMessage);
  say(reply);
  if (reply.kind === 'loaded') return;
  // Twice: the first frees what refers to buffers, the second the buffers.
  for (let n = 0; n < 2; n++) (globalThis as { gc?: () => void }).gc?.();
  say({ kind: 'rested' });
});
// It may have gone while the modules were being loaded, when nobody listened.
if (!process.connected) clearUp();
