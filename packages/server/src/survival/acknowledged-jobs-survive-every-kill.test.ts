/** The short form of `npm run survival`: the installation is real, and each of its kinds of processes is killed at least once. */
import { describe, expect, it } from 'vitest';
import { reportText } from './report.js';
import { survive } from './survive.js';

/** On a free machine 60 s; the deadline is for one that is busy. */
const DEADLINE_MS = 600_000;

describe('acknowledged jobs', () => {
  it.skipIf(process.platform !== 'linux')(
    'end in a result or a stated failure, once, whatever is killed at whatever moment, and leave no image',
    async () => {
      const seed = Number(process.env.ISOCENTER_TEST_SEED ?? Date.now() % 2 ** 31);
      const report = await survive({ jobs: 15, kills: 5, seed, workers: 1, log: () => undefined });
      console.log(reportText(report));
      expect(report.violations).toEqual([]);
      expect(report.acknowledged.length).toBeGreaterThanOrEqual(15);
    },
    DEADLINE_MS,
  );
});
