/** What a task will need: from the size of its input, and better from what earlier runs took. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeZip } from '@isocenter/formats';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../engine/src/runtime/test-bundles.suite.js';
import { judge } from './forecaster.js';
import { LearntMemory, type MemorySample } from './learnt-memory.js';
import { groupFreeBytes } from './machine-memory.js';
import { unpackedBytes } from './unpacked-bytes.js';

const MB = 2 ** 20;
const folder = temporaryFolder();
afterAll(() => folder.remove());
const file = (name: string, bytes: Uint8Array | string) => {
  const path = join(folder.path, name);
  writeFileSync(path, bytes);
  return path;
};

describe('the unpacked size', () => {
  it('of a zip is the sum of its directory', async () => {
    const contents = [3000, 70_000].map((length, n) => ({ name: `${n}.dcm`, bytes: new Uint8Array(length) }));
    expect(await unpackedBytes(file('a.zip', await writeZip(contents)))).toBe(73_000);
  });

  it('of a gzip file is what it announces, unless that cannot be', async () => {
    const packed = gzipSync(new Uint8Array(500_000));
    expect(await unpackedBytes(file('a.nii.gz', packed))).toBe(500_000);
    packed.writeUInt32LE(0xffffffff, packed.length - 4);
    expect(await unpackedBytes(file('b.nii.gz', packed))).toBe(packed.length * 3);
  });

  it('of any other file is its size; of none, nothing', async () => {
    expect(await unpackedBytes(file('a.nrrd', new Uint8Array(1234)))).toBe(1234);
    expect(await unpackedBytes(file('empty', ''))).toBe(0);
    expect(await unpackedBytes(join(folder.path, 'no-such-file'))).toBe(0);
  });

  it('of a zip whose directory lies is an error, as it would be in the run', async () => {
    await expect(unpackedBytes(file('bad.zip', 'PK\x03\x04 and nothing more'))).rejects.toMatchObject({
      name: 'ArchiveError',
    });
  });
});

describe('what was learnt', () => {
  /** Three bytes for each of the input. */
  const grows = (inputBytes: number) => (from: number) => 3 * (inputBytes - from);

  it('is nothing before the first run', () => {
    expect(new LearntMemory().expect('a', 10 * MB, grows(10 * MB))).toBeUndefined();
  });

  it('holds for inputs up to that size, and grows above by what the engine counts more', () => {
    const learnt = new LearntMemory();
    learnt.add('a', { inputBytes: 50 * MB, peakBytes: 400 * MB });
    expect(learnt.expect('a', 10 * MB, grows(10 * MB))).toBeCloseTo(440 * MB, -3);
    expect(learnt.expect('a', 50 * MB, grows(50 * MB))).toBeCloseTo(440 * MB, -3);
    expect(learnt.expect('a', 100 * MB, grows(100 * MB))).toBeCloseTo(1.1 * (400 + 150) * MB, -3);
    expect(learnt.expect('b', 10 * MB, grows(10 * MB))).toBeUndefined();
  });

  it('keeps the worst run of a size, and forgets it slowly', () => {
    const learnt = new LearntMemory();
    learnt.add('a', { inputBytes: MB, peakBytes: 500 * MB });
    learnt.add('a', { inputBytes: MB, peakBytes: 200 * MB });
    const soon = learnt.expect('a', MB, grows(MB)) ?? 0;
    for (let n = 0; n < 100; n++) learnt.add('a', { inputBytes: MB, peakBytes: 200 * MB });
    expect(soon).toBeGreaterThan(500 * MB);
    expect(learnt.expect('a', MB, grows(MB))).toBeCloseTo(220 * MB, -3);
  });

  it('stays short, is told to who keeps it, and is taken up again', () => {
    let kept: readonly MemorySample[] = [];
    const learnt = new LearntMemory({}, (sha256, samples) => {
      expect(sha256).toBe('a');
      kept = samples;
    });
    for (let n = 1; n <= 40; n++) learnt.add('a', { inputBytes: n * MB, peakBytes: (100 + 10 * n) * MB });
    expect(kept.length).toBeLessThanOrEqual(8);
    expect(kept.at(-1)).toEqual({ inputBytes: 40 * MB, peakBytes: 500 * MB });
    expect(new LearntMemory({ a: kept }).expect('a', 40 * MB, grows(40 * MB))).toBe(
      learnt.expect('a', 40 * MB, grows(40 * MB)),
    );
  });

  it('leaves out what is no number', () => {
    const learnt = new LearntMemory({ a: [{ inputBytes: Number.NaN, peakBytes: 1 }] });
    expect(learnt.expect('a', MB, grows(MB))).toBeUndefined();
  });
});

describe('a judgement', () => {
  const need = { bytes: 300 * MB, inputBytes: 10 * MB, because: 'The task needs 300 MB' };
  const bound = (bytes: number) => ({ bytes, what: 'the budget of all runs is' });

  it('says what was decided, and why', () => {
    expect(judge(need, bound(200 * MB), 0)).toMatchObject({
      fits: false,
      why: 'The task needs 300 MB, but the budget of all runs is 200 MB: refused',
    });
    expect(judge(need, bound(400 * MB), 100 * MB)).toMatchObject({
      fits: true,
      why: expect.stringContaining('of which 100 MB are free beside other tasks: it waits for them'),
    });
    expect(judge(need, bound(400 * MB), 350 * MB).why).toContain('begun at once');
  });
});

describe('the limit of a control group', () => {
  const rows = (name: string, files: Record<string, string>) =>
    import('node:fs').then(({ mkdirSync }) => {
      mkdirSync(join(folder.path, name), { recursive: true });
      for (const [key, text] of Object.entries(files)) file(join(name, key), text);
    });

  it('is read in version 2, with cache that can be given back, and the tightest group above counts', async () => {
    await rows('v2/pod/one', { 'memory.max': 'max\n', 'memory.current': '500\n' });
    await rows('v2/pod', {
      'memory.max': `${1000 * MB}\n`,
      'memory.current': `${700 * MB}\n`,
      'memory.stat': `anon 1\ninactive_file ${100 * MB}\n`,
    });
    const membership = file('membership-2', '0::/pod/one\n');
    expect(groupFreeBytes(join(folder.path, 'v2'), membership)).toBe(400 * MB);
  });

  it('is read in version 1', async () => {
    await rows('v1/memory/box', {
      'memory.limit_in_bytes': `${512 * MB}\n`,
      'memory.usage_in_bytes': `${112 * MB}\n`,
      'memory.stat': 'cache 5\ntotal_inactive_file 0\n',
    });
    await rows('v1/memory', { 'memory.limit_in_bytes': '9223372036854771712\n', 'memory.usage_in_bytes': '1\n' });
    const membership = file('membership-1', '9:name=systemd:/\n4:memory:/box\n3:cpuset:/\n0::/\n');
    expect(groupFreeBytes(join(folder.path, 'v1'), membership)).toBe(400 * MB);
  });

  it('is none where there is none', () => {
    expect(groupFreeBytes(folder.path, join(folder.path, 'no-such-file'))).toBe(Number.POSITIVE_INFINITY);
  });
});
