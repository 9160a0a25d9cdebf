/**
 * What runs of each model took, kept over restarts and shared by all workers: so the first forecast after a start already knows
 * what only a run can show.
 */
import { z } from 'zod';
import type { MemorySample } from '../compute/memory/learnt-memory.js';
import type { State } from '../state/open-state.js';
import { settingKey } from '../state/settings.js';

const bytes = z.number().min(0);

const learntMemory = settingKey(
  'compute.learnt-memory',
  z.record(z.string(), z.array(z.object({ inputBytes: bytes, peakBytes: bytes }))),
  {},
);

export interface RememberedMemory {
  readonly learnt: Readonly<Record<string, readonly MemorySample[]>>;
  readonly onLearnt: (sha256: string, samples: readonly MemorySample[]) => void;
}

/** A database that is away costs one lesson, not a run. */
export async function rememberedMemory({ db, settings }: Pick<State, 'db' | 'settings'>): Promise<RememberedMemory> {
  const remember = (sha256: string, samples: readonly MemorySample[]) =>
    db.transaction().execute(async (tx) => {
      const all = await settings.get(learntMemory, tx);
      await settings.set(learntMemory, { ...all, [sha256]: samples.map((sample) => ({ ...sample })) }, 'compute', tx);
    });
  return {
    learnt: await settings.get(learntMemory),
    onLearnt: (sha256, samples) => void remember(sha256, samples).catch(() => undefined),
  };
}
