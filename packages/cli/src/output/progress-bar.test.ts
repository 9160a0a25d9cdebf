import { describe, expect, it } from 'vitest';
import { formatSeconds, progressBar, progressLine } from './progress-bar.js';
import { table } from './table.js';

function stream(): { written: string[]; as: NodeJS.WriteStream } {
  const written: string[] = [];
  return {
    written,
    as: { isTTY: false, write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream,
  };
}

describe('progress', () => {
  it('is silent where no person watches', () => {
    const { written, as } = stream();
    const bar = progressBar(as);
    bar.report(1, 2, 'reading');
    bar.end();
    expect(written).toEqual([]);
  });

  it('shows step, share and time left once the speed is known', () => {
    expect(progressLine(1, 4, 'reading', 100)).toMatch(/^reading .*25 %$/);
    expect(progressLine(1, 4, 'reading', 2000)).toContain('6.0 s left');
    expect(formatSeconds(125)).toBe('2 min 5 s');
  });

  it('redraws at once when the step changes and at its end', () => {
    const { written, as } = stream();
    const bar = progressBar(as, true);
    bar.report(0, 2, 'reading');
    bar.report(2, 2, 'reading');
    bar.report(0, 1, 'writing');
    expect(written).toHaveLength(3);
  });
});

describe('a table', () => {
  it('aligns numbers to the right and text to the left, wide characters counted as two cells', () => {
    expect(
      table(
        ['name', 'ml'],
        [
          ['肺', 12],
          ['bone', 3],
        ],
      ).split('\n'),
    ).toEqual(['name  ml', '────  ──', '肺    12', 'bone   3']);
  });
});
