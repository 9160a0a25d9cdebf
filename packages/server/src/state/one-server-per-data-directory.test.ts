/** A second server is refused by name; a dead one never blocks; two that start together never both get it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ownIdentity } from '@isocenter/engine';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockServer } from './server-lock.js';

const built = fileURLToPath(new URL('../../dist/state/server-lock.js', import.meta.url));
const SHORT = { silenceMs: 600, heartbeatMs: 50 };

describe('the lock of a data directory', () => {
  let home = '';
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'isocenter-lock-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(home, { recursive: true, force: true });
  });

  /** Says 'held', or the kind of the error. */
  const contender = async () => {
    const script = `import { lockServer } from ${JSON.stringify(built)};
      await lockServer(${JSON.stringify(home)}).then(() => console.log('held'), (error) => console.log(error.kind));
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = await once(createInterface(child.stdout), 'line');
    return { child, line: line as string };
  };
  const plant = async (name: string, claim: object) => {
    const path = join(home, `server-${name}.lock`);
    await writeFile(path, JSON.stringify({ since: '2026-01-01T00:00:00.000Z', ...claim }));
    return path;
  };

  it('names the process that has it, its machine and since when', async () => {
    const lock = await lockServer(home);
    await expect(lockServer(home)).rejects.toMatchObject({
      kind: 'in-use',
      message: expect.stringMatching(
        new RegExp(`process ${process.pid} on ${hostname()}, since \\d{4}-\\d\\d-\\d\\dT`),
      ),
      next: expect.stringContaining('--home'),
    });
    await lock.release();
    await (await lockServer(home)).release();
    expect(await readdir(home)).toEqual([]);
  });

  it('is taken over at once from a process that was killed', async () => {
    const { child, line } = await contender();
    expect(line).toBe('held');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await lockServer(home)).release();
    expect(await readdir(home)).toEqual([]);
  });

  it('is not fooled by another process with the number of the dead one', async () => {
    await plant('aa', { ...ownIdentity(), pid: process.ppid, started: 1 });
    await (await lockServer(home)).release();
  });

  it('is free again after a boot of the machine', async () => {
    await plant('aa', { ...ownIdentity(), boot: 'abcdef' });
    await (await lockServer(home)).release();
  });

  it('goes to exactly one of many that start together over a dead one', async () => {
    for (let round = 0; round < 3; round++) {
      await plant('dead', { ...ownIdentity(), started: 1 });
      const all = await Promise.all(Array.from({ length: 6 }, contender));
      const lines = all.map(({ line }) => line);
      expect(lines.filter((line) => line === 'held')).toHaveLength(1);
      expect(lines.filter((line) => line === 'in-use')).toHaveLength(5);
      await Promise.all(
        all.map(({ child }) => {
          const exit = once(child, 'exit');
          child.kill('SIGKILL');
          return exit;
        }),
      );
    }
  });

  it('is respected when another machine holds it and shows life, and names that machine', async () => {
    const path = await plant('aa', { ...ownIdentity(), host: 'other-host', machine: 'abcdef', pid: 4711 });
    const life = setInterval(() => utimes(path, new Date(), new Date()), 50);
    try {
      await expect(lockServer(home, SHORT)).rejects.toThrow('process 4711 on other-host, since 2026-01-01');
    } finally {
      clearInterval(life);
    }
    expect(await readFile(path, 'utf8')).toContain('other-host');
  });

  it('is taken over from a machine or container that shows no life any more', async () => {
    const identity = ownIdentity();
    await plant('aa', { ...identity, host: 'other-host', machine: 'abcdef', pid: 4711 });
    await plant('bb', { ...identity, namespace: 'abcdef' });
    await plant('cc', {});
    await writeFile(join(home, 'server-dd.lock'), '');
    await (await lockServer(home, SHORT)).release();
    expect(await readdir(home)).toEqual([]);
  });

  it('tells a holder that slept when somebody took it over', async () => {
    let lost: () => void = () => undefined;
    const loss = new Promise<void>((resolve) => {
      lost = resolve;
    });
    await lockServer(home, { ...SHORT, onLost: lost });
    for (const name of await readdir(home)) await rm(join(home, name));
    await loss;
  });
});
