/** Uploads stop before the disk is full, together too; and when it is full all the same, nothing half stays. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { blobKey } from './blob-store.js';
import { chunksOf, keysOf } from './blob-store.suite.js';
import { DiskSpace } from './disk-space.js';
import { openFileStore, WRITTEN_BEHIND } from './file-store.js';
import { TESTER, type TestBlobs, testBlobs } from './test-blobs.suite.js';

const MB = 1 << 20;
const open: TestBlobs[] = [];
afterEach(async () => {
  for (const test of open.splice(0)) await test.close();
});

/** A real small disk, where this machine lets us mount one. */
const disk = mkdtempSync(join(tmpdir(), 'isocenter-disk-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', disk]).status === 0;
afterAll(() => {
  if (mounted) spawnSync('umount', [disk]);
  rmSync(disk, { recursive: true, force: true });
});

async function onDisk(reserveBytes: number): Promise<TestBlobs> {
  const test = await testBlobs({ store: await openFileStore(join(disk, 'store')), reserveBytes });
  open.push(test);
  return test;
}

const upload = { purpose: 'upload', actor: TESTER } as const;

function free(): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

describe.skipIf(!mounted)(
  mounted ? 'A disk of 64 MB' : 'A disk of 64 MB (skipped: tmpfs cannot be mounted here)',
  () => {
    it('takes uploads down to its reserve and then says so; space that is freed is taken again', async () => {
      const { blobs, store, db } = await onDisk(16 * MB);
      const ids: string[] = [];
      let refused: unknown;
      while (!refused) {
        await blobs.write(chunksOf(5 * MB), upload).then(
          ({ id }) => ids.push(id),
          (error) => {
            refused = error;
          },
        );
      }
      expect(refused).toMatchObject({ kind: 'no-space', next: expect.any(String) });
      expect(free()).toBeGreaterThanOrEqual(16 * MB);
      expect(ids.length).toBeGreaterThanOrEqual(8);
      expect(await keysOf(store)).toHaveLength(ids.length);
      expect(readdirSync(join(disk, 'store', 'incoming'))).toEqual([]);

      await expect(blobs.write(chunksOf(10), { ...upload, expectedBytes: 4 * 2 ** 30 })).rejects.toMatchObject({
        kind: 'no-space',
      });
      // What was accepted can still end: results go into the reserve, though not to its bottom.
      const result = { purpose: 'result', actor: TESTER } as const;
      const first = await blobs.write(chunksOf(5 * MB), result);
      await blobs.release(first.id, 'over', db);
      await blobs.eraseReleased([first.id]);
      await expect(blobs.write(chunksOf(13 * MB), result)).rejects.toMatchObject({ kind: 'no-space' });
      expect(free()).toBeGreaterThanOrEqual(8 * MB);
      await blobs.release(ids[0] ?? '', 'over', db);
      await blobs.eraseReleased(ids);
      expect(await blobs.write(chunksOf(5 * MB), upload)).toMatchObject({ bytes: 5 * MB });
      for (const { id } of await db.selectFrom('blob').select('id').execute()) await blobs.release(id, 'over', db);
      await blobs.sweep();
      expect(await keysOf(store)).toEqual([]);
    });

    it('never falls below the reserve under 100 uploads at once, and those that were accepted are whole', async () => {
      const { blobs, store, db } = await onDisk(16 * MB);
      let lowest = free();
      const source = async function* (bytes: number) {
        for await (const chunk of chunksOf(bytes, 256 * 1024)) {
          lowest = Math.min(lowest, free());
          yield chunk;
          await new Promise(setImmediate);
        }
      };
      const outcomes = await Promise.allSettled(
        Array.from({ length: 100 }, (_, i) => blobs.write(source(2 * MB + i), upload)),
      );
      const stored = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.kind] : []));
      expect(lowest).toBeGreaterThanOrEqual(16 * MB);
      expect(new Set(refused)).toEqual(new Set(['no-space']));
      // 48 MB, less the first steps of those that came too late.
      expect(stored.length).toBeGreaterThanOrEqual(15);
      for (const { id, bytes } of stored) {
        let length = 0;
        for await (const chunk of (await blobs.open(id)).stream) length += chunk.length;
        expect(length).toBe(bytes);
      }
      expect(await keysOf(store)).toHaveLength(stored.length);
      expect(readdirSync(join(disk, 'store', 'incoming'))).toEqual([]);
      expect(await db.selectFrom('blob').select('state').distinct().execute()).toEqual([{ state: 'stored' }]);
      for (const { id } of stored) await blobs.release(id, 'over', db);
      await blobs.sweep();
    });

    it('that runs full without a reserve is named, and nothing half stays', async () => {
      const { blobs, db } = await onDisk(0);
      const store = await openFileStore(join(disk, 'store'));
      const before = free();
      for (const size of [MB, 1000]) {
        const put = store.put(blobKey('x/y'), chunksOf(80 * MB, size));
        await expect(put).rejects.toMatchObject({ kind: 'no-space' });
        expect(readdirSync(join(disk, 'store', 'incoming'))).toEqual([]);
        expect(free()).toBe(before);
      }
      await expect(blobs.write(chunksOf(80 * MB), upload)).rejects.toMatchObject({ kind: 'no-space' });
      expect(free()).toBe(before);
      expect(await db.selectFrom('blob').selectAll().execute()).toEqual([]);
    });

    it('filled by others is found full before a byte is taken', async () => {
      const { blobs } = await onDisk(16 * MB);
      writeFileSync(join(disk, 'theirs'), Buffer.alloc(56 * MB));
      let asked = false;
      const source = async function* () {
        asked = true;
        yield* chunksOf(10);
      };
      await expect(blobs.write(source(), upload)).rejects.toMatchObject({ kind: 'no-space' });
      expect(asked).toBe(false);
      rmSync(join(disk, 'theirs'));
      expect(await blobs.write(source(), upload)).toMatchObject({ bytes: 10 });
    });
  },
);

describe('Space', () => {
  it('is claimed by many writers without overshooting, though the disk answers late', async () => {
    let used = 0;
    const space = new DiskSpace(async () => {
      const answer = 100 * MB - used;
      await new Promise(setImmediate);
      return answer;
    }, 10 * MB);
    const writers = Array.from({ length: 50 }, async () => {
      const reservation = await space.reserve();
      try {
        for await (const chunk of reservation.meter(chunksOf(4 * MB, MB))) {
          await new Promise(setImmediate);
          used += chunk.length;
        }
      } finally {
        reservation.release();
      }
    });
    const outcomes = await Promise.allSettled(writers);
    expect(used).toBeLessThanOrEqual(90 * MB);
    expect(used).toBeGreaterThan(70 * MB);
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true);
    expect(space.claimedBytes).toBe(0);
  });

  it('is not withheld from others by a client that declares much and sends nothing', async () => {
    const space = new DiskSpace(async () => 100 * MB, 0);
    for (let i = 0; i < 20; i++) await space.reserve(90 * MB);
    expect(space.claimedBytes).toBeLessThan(10 * MB);
    await expect(space.reserve(101 * MB)).rejects.toMatchObject({ kind: 'no-space' });
    await space.reserve();
  });

  it('keeps its claim on bytes that were taken and may not be written yet', async () => {
    const space = new DiskSpace(async () => 1000 * MB, 0);
    const reservation = await space.reserve();
    const metered = reservation.meter(chunksOf(3 * MB, MB / 4))[Symbol.asyncIterator]();
    for (let step = await metered.next(); !step.done; step = await metered.next())
      expect(space.claimedBytes).toBeGreaterThanOrEqual(step.value.byteLength);
    expect(space.claimedBytes).toBeGreaterThanOrEqual(WRITTEN_BEHIND);
    reservation.release();
    expect(space.claimedBytes).toBe(0);
  });

  it('is claimed in small by those who declare little', async () => {
    const space = new DiskSpace(async () => 1000, 0);
    const reservations = await Promise.all(Array.from({ length: 10 }, () => space.reserve(100)));
    expect(space.claimedBytes).toBe(1000);
    await expect(space.reserve(1)).rejects.toMatchObject({ kind: 'no-space' });
    for (const reservation of reservations) reservation.release();
    expect(space.claimedBytes).toBe(0);
  });

  it('that a hanging upload claimed is given back when it is cancelled', async () => {
    const space = new DiskSpace(async () => 100 * MB, 0);
    const reservation = await space.reserve();
    const metered = reservation.meter(
      (async function* () {
        yield* chunksOf(MB, MB);
        await new Promise(() => undefined);
      })(),
    );
    await metered.next();
    void metered.next();
    reservation.release();
    reservation.release();
    expect(space.claimedBytes).toBe(0);
  });
});
