/**
 * Two hundred uploads at once on a disk that takes a quarter of them, with the database elsewhere and on the same disk; then
 * a disk that somebody else has filled to the last byte. Needs the right to mount a tmpfs (root on Linux).
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@isocenter/client';
import { makePhantom } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { endOf } from './mixed-work.suite.js';
import { eventually, newHome, ServerProcess } from './server-process.suite.js';

// Whole servers on machines that are busy with other tests.
vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 600_000 });

const MEGABYTE = 1024 * 1024;
const UPLOADS = 200;
const canMount = process.platform === 'linux' && process.getuid?.() === 0 && tryMount();
if (!canMount) console.warn('SKIPPED: small disks need the right to mount a tmpfs');

let study: Buffer<ArrayBuffer>;
const open: { home: string; server?: ServerProcess; mounts: string[] }[] = [];

beforeAll(async () => {
  const { files } = await makePhantom({ kind: 'thorax', size: [32, 32, 6], spacing: [14, 14, 46] });
  // A file that no model looks at makes it large without making it work.
  const padding = { name: 'padding.bin', bytes: randomBytes(1.5 * MEGABYTE) };
  study = Buffer.from(await writeZip([...files, padding]));
});

afterEach(async () => {
  for (const { home, server, mounts } of open.splice(0)) {
    await server?.close().catch(() => undefined);
    for (const mount of mounts) execFileSync('umount', ['-l', mount]);
    rmSync(home, { recursive: true, force: true });
  }
});

function tryMount(): boolean {
  try {
    mkdirSync('/tmp/isocenter-can-mount', { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'isocenter', '/tmp/isocenter-can-mount'], {
      stdio: 'ignore',
    });
    execFileSync('umount', ['/tmp/isocenter-can-mount']);
    return true;
  } catch {
    return false;
  } finally {
    rmSync('/tmp/isocenter-can-mount', { recursive: true, force: true });
  }
}

async function onSmallDisk(megabytes: number, below: string, reserveMegabytes: number) {
  const home = await newHome();
  const disk = join(home, below);
  mkdirSync(disk, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=711`, 'isocenter', disk]);
  const entry: (typeof open)[number] = { home, mounts: [disk] };
  open.push(entry);
  const server = await ServerProcess.start({
    home,
    environment: {
      ISOCENTER_DISK_RESERVE_MEGABYTES: String(reserveMegabytes),
      // The gate stands open, so that it is the disk that decides.
      ISOCENTER_UPLOADS_AT_ONCE: String(UPLOADS),
    },
  });
  entry.server = server;
  return { server, disk, client: server.client(await server.key('service', 'sender')) };
}

const freeBytes = (disk: string) => {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
};

/** All at once; the ids of jobs that were acknowledged, and how often each status came. */
async function flood(server: ServerProcess, key: string, disk: string) {
  const statuses: Record<string, number> = {};
  const jobs: string[] = [];
  let least = Infinity;
  const watch = setInterval(() => {
    least = Math.min(least, freeBytes(disk));
  }, 5);
  const send = async () => {
    const answer = await server
      .request(key, 'POST', '/isocenter/v1/jobs?model=PassThroughModel', {
        body: study,
        headers: { 'content-type': 'application/zip' },
      })
      .catch(() => undefined);
    const status = answer?.status ?? 0;
    statuses[status] = (statuses[status] ?? 0) + 1;
    const body = (await answer?.json()) as { id: string; kind: string; next?: string } | undefined;
    if (status === 202 && body) jobs.push(body.id);
    if (status === 503) expect(answer?.headers.get('retry-after')).toMatch(/^\d+$/);
    if (status === 507) expect(body).toMatchObject({ kind: 'no-space', next: expect.any(String) });
  };
  await Promise.all(Array.from({ length: UPLOADS }, send));
  clearInterval(watch);
  return { statuses, jobs, least };
}

async function allEnd(client: Client, jobs: readonly string[]): Promise<void> {
  for (const id of jobs) {
    const { state, failure } = await endOf(client, id);
    expect({ state, failure }).toEqual({ state: 'succeeded' });
  }
}

function postmaster(server: ServerProcess): number | undefined {
  return server.processes.find(({ command }) => command.includes('/bin/postgres -D'))?.pid;
}

/** To the last byte, as a disk that others share with us. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(64 * 1024);
  try {
    for (let size = block.length; size >= 1; ) {
      try {
        writeSync(file, block, 0, size);
      } catch {
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(file);
  }
}

describe.skipIf(!canMount)('a small disk', () => {
  it.each([
    { where: 'of the blobs alone', below: 'blobs', megabytes: 96, reserve: 16 },
    { where: 'that the database shares', below: '', megabytes: 256, reserve: 96 },
  ])(
    '$where takes what fits, refuses the rest, and every acknowledged job ends',
    async (disk) => {
      const { server, client, disk: path } = await onSmallDisk(disk.megabytes, disk.below, disk.reserve);
      const key = await server.key('service', 'flood');
      const before = postmaster(server);
      const { statuses, jobs, least } = await flood(server, key, path);
      console.log(disk.where, JSON.stringify(statuses), `least free ${Math.round(least / MEGABYTE)} MB`);
      expect(Object.keys(statuses).filter((status) => !['202', '503', '507'].includes(status))).toEqual([]);
      expect(jobs.length).toBeGreaterThan(10);
      expect(jobs.length).toBeLessThan(UPLOADS);
      expect(least).toBeGreaterThan(0);
      await allEnd(server.client(key), jobs);
      expect(postmaster(server)).toBe(before);
      expect(server.alive && (await server.ready())).toBe(true);
      // Images went with their jobs, so there is room again.
      const { id } = await client.jobs.create({ model: 'PassThroughModel', body: study });
      expect((await endOf(client, id)).state).toBe('succeeded');
      await eventually('no file is left', async () => (await server.leavings()).length === 0);
    },
    600_000,
  );

  it('models that are uploaded leave the reserve alone, too', async () => {
    const { server, disk } = await onSmallDisk(160, '', 80);
    const owner = server.client();
    const body = Buffer.alloc(120 * MEGABYTE);
    await expect(owner.models.add({ name: 'large', version: '1', kind: 'segmentation', body })).rejects.toMatchObject({
      status: 507,
    });
    expect(server.alive && (await server.ready())).toBe(true);
    expect(freeBytes(disk)).toBeGreaterThan(0);
  });

  it('that others have filled stops work and harms nothing; with room it goes on by itself', async () => {
    const { server, client, disk } = await onSmallDisk(256, '', 32);
    const before = await client.jobs.create({ model: 'PassThroughModel', body: study });
    expect((await endOf(client, before.id)).state).toBe('succeeded');
    const ballast = join(disk, 'ballast');
    fill(ballast);
    expect(freeBytes(disk)).toBe(0);
    expect(await server.ready()).toBe(false);
    const refused = await client.jobs.create({ model: 'PassThroughModel', body: study }).catch((error) => error);
    expect([503, 507]).toContain(refused.status);
    // Writes to the database until its own space is used up.
    const made: string[] = [];
    const statuses = new Set<number>();
    for (let n = 0; n < 400; n++) {
      const answer = await server.request(server.token, 'POST', '/isocenter/v1/keys', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: `key ${n}`, role: 'service' }),
      });
      statuses.add(answer.status);
      const body = (await answer.json()) as { id: string };
      if (answer.status === 400) console.log(body);
      const { id } = body;
      if (answer.status === 201) made.push(id);
      fill(join(disk, `ballast-${n}`));
      if (answer.status !== 201) break;
    }
    console.log('on a full disk', [...statuses], made.length);
    expect([...statuses].filter((status) => ![201, 503, 507].includes(status))).toEqual([]);
    expect(server.alive).toBe(true);
    execFileSync('sh', ['-c', `rm -f ${disk}/ballast*`]);
    await eventually('it is ready again', () => server.ready());
    const after = await client.jobs.create({ model: 'PassThroughModel', body: study });
    expect((await endOf(client, after.id)).state).toBe('succeeded');
    expect((await client.jobs.get({ job: before.id })).state).toBe('succeeded');
    const { items } = await server.client().keys.list({});
    expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining(made));
  });
});
