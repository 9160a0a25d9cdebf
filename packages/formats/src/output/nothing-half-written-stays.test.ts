/** Results are on disk whole or not at all: full disks, read-only disks, collisions and crashes in the middle leave no trace. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { outputError } from './output-error.js';
import { OutputFolder } from './output-folder.js';
import { safeFileName } from './safe-file-name.js';
import { writeFileAtomic } from './write-file-atomic.js';

const folder = mkdtempSync(join(tmpdir(), 'output-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fresh = (name: string) => {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
};
const everything = (path: string) => readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
const bytes = (text: string) => Buffer.from(text);

describe('a file written atomically', () => {
  it('holds all parts, replaces what was there, and leaves no other file', async () => {
    const place = fresh('atomic');
    await writeFileAtomic(join(place, 'x'), bytes('old'));
    await writeFileAtomic(join(place, 'x'), [bytes('one '), bytes('two')]);
    expect(readFileSync(join(place, 'x'), 'utf8')).toBe('one two');
    expect(everything(place)).toEqual(['x']);
  });

  it('leaves nothing when its place is a folder or its folder a file', async () => {
    const place = fresh('blocked');
    mkdirSync(join(place, 'x'));
    writeFileSync(join(place, 'file'), '');
    await expect(writeFileAtomic(join(place, 'x'), bytes('new'))).rejects.toHaveProperty('kind');
    await expect(writeFileAtomic(join(place, 'file/x'), bytes('new'))).rejects.toMatchObject({ kind: 'not-a-folder' });
    expect(everything(place)).toEqual(['file', 'x']);
  });
});

describe('an output folder', () => {
  it('that waits for no disk is all or nothing as well', async () => {
    const path = fresh('not-durable');
    const first = await OutputFolder.create(path, { durable: false });
    await first.write('a.txt', bytes('a'));
    await first.write('b.txt', bytes('b'));
    expect(existsSync(join(path, 'a.txt'))).toBe(false);
    expect(await first.commit()).toEqual([join(path, 'a.txt'), join(path, 'b.txt')]);
    const second = await OutputFolder.create(path, { durable: false });
    await second.write('a.txt', bytes('other'));
    await second.discard();
    expect(everything(path)).toEqual(['a.txt', 'b.txt']);
    expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe('a');
  });

  it('appears with all files at once when it is new', async () => {
    const path = join(folder, 'new/deep/out');
    const output = await OutputFolder.create(path);
    await output.write('a.txt', bytes('a'));
    await output.write('masks/b.txt', [bytes('b'), bytes('b')]);
    expect(existsSync(path)).toBe(false);
    expect(await output.commit()).toEqual([join(path, 'a.txt'), join(path, 'masks/b.txt')]);
    expect(everything(join(folder, 'new/deep'))).toEqual(['out', 'out/a.txt', 'out/masks', 'out/masks/b.txt']);
    expect(readFileSync(join(path, 'masks/b.txt'), 'utf8')).toBe('bb');
  });

  it('leaves no trace when it is discarded, also of parents made for it', async () => {
    const output = await OutputFolder.create(join(folder, 'gone/a/b'));
    await output.write('x', bytes('x'));
    await output.discard();
    await output.discard();
    expect(existsSync(join(folder, 'gone'))).toBe(false);
    await expect(output.write('y', bytes('y'))).rejects.toMatchObject({ kind: 'finished' });
  });

  it('keeps what stood in it and replaces only its own names', async () => {
    const path = fresh('standing');
    writeFileSync(join(path, 'theirs'), 'theirs');
    writeFileSync(join(path, 'ours'), 'old');
    const output = await OutputFolder.create(path);
    await output.write('ours', bytes('new'));
    await output.commit();
    expect(everything(path)).toEqual(['ours', 'theirs']);
    expect(readFileSync(join(path, 'ours'), 'utf8')).toBe('new');
  });

  it('puts everything back when the move fails in the middle', async () => {
    const path = fresh('middle');
    writeFileSync(join(path, 'a'), 'old a');
    writeFileSync(join(path, 'sub'), 'a file where a folder is needed');
    const output = await OutputFolder.create(path);
    await output.write('a', bytes('new a'));
    await output.write('b', bytes('new b'));
    await output.write('sub/c', bytes('new c'));
    await expect(output.commit()).rejects.toHaveProperty('kind');
    expect(everything(path)).toEqual(['a', 'sub']);
    expect(readFileSync(join(path, 'a'), 'utf8')).toBe('old a');
  });

  it('refuses to overwrite when told so, and two outputs of one name', async () => {
    const path = fresh('careful');
    writeFileSync(join(path, 'a'), 'old');
    const output = await OutputFolder.create(path, { overwrite: false });
    await output.write('b', bytes('b'));
    await output.write('a', bytes('new'));
    await expect(output.write('A', bytes('x'))).rejects.toMatchObject({ kind: 'exists' });
    await expect(output.commit()).rejects.toMatchObject({ kind: 'exists' });
    expect(everything(path)).toEqual(['a']);
  });

  it.each(['../x', '/etc/x', 'a/../../x', '.hidden', 'a//b', '', 'ü', 'a\\b'])(
    'never writes to the name "%s"',
    async (name) => {
      const output = await OutputFolder.create(join(folder, 'names'));
      await expect(output.write(name, bytes('x'))).rejects.toMatchObject({ kind: 'bad-name' });
      await output.discard();
    },
  );

  it('says at once when its place is a file', async () => {
    writeFileSync(join(folder, 'plain'), '');
    await expect(OutputFolder.create(join(folder, 'plain'))).rejects.toMatchObject({ kind: 'not-a-folder' });
    await expect(OutputFolder.create(join(folder, 'plain/sub'))).rejects.toMatchObject({ kind: 'not-a-folder' });
  });

  it.skipIf(process.getuid?.() === 0)('says at once when it may not write (not as root)', async () => {
    const path = fresh('locked');
    chmodSync(path, 0o555);
    await expect(OutputFolder.create(path)).rejects.toMatchObject({ kind: 'no-permission' });
  });
});

/** A real disk of 256 KiB, where this machine lets us mount one. */
const disk = fresh('disk');
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', disk]).status === 0;
afterAll(() => mounted && spawnSync('umount', [disk]));

describe.skipIf(!mounted)(mounted ? 'a small disk' : 'a small disk (skipped: tmpfs cannot be mounted here)', () => {
  it('that runs full is named, and nothing stays on it', async () => {
    writeFileSync(join(disk, 'theirs'), 'theirs');
    await expect(writeFileAtomic(join(disk, 'x'), Buffer.alloc(1 << 20))).rejects.toMatchObject({ kind: 'disk-full' });
    const output = await OutputFolder.create(join(disk, 'out'));
    await output.write('small', bytes('x'));
    await expect(output.write('large', Buffer.alloc(1 << 20))).rejects.toMatchObject({ kind: 'disk-full' });
    await output.discard();
    expect(everything(disk)).toEqual(['theirs']);
  });

  it('that is read-only is named before any work is done', async () => {
    expect(spawnSync('mount', ['-o', 'remount,ro', disk]).status).toBe(0);
    await expect(OutputFolder.create(join(disk, 'out'))).rejects.toMatchObject({ kind: 'read-only' });
    await expect(OutputFolder.create(disk)).rejects.toMatchObject({ kind: 'read-only' });
    await expect(writeFileAtomic(join(disk, 'x'), bytes('x'))).rejects.toMatchObject({ kind: 'read-only' });
  });
});

describe('an error of the operating system', () => {
  it.each([
    ['ENOSPC', 'disk-full'],
    ['EDQUOT', 'disk-full'],
    ['EROFS', 'read-only'],
    ['EACCES', 'no-permission'],
    ['EIO', 'failed'],
  ])('%s becomes %s, with a next step', (code, kind) => {
    const error = outputError(Object.assign(new Error(), { code }));
    expect(error.kind).toBe(kind);
    expect(error.next).toBeTruthy();
  });
});

describe('a file name made from a structure name', () => {
  it.each([
    ['Lung Left', 'Lung_Left'],
    ['GTV-1', 'GTV-1'],
    ['../../etc/passwd', 'etc_passwd'],
    ['Körper', 'Korper'],
    ['肺', 'unnamed'],
    ['', 'unnamed'],
    ['...', 'unnamed'],
    ['CON', 'CON_'],
    ['lpt1', 'lpt1_'],
    ['a\0b', 'a_b'],
    ['x'.repeat(300), 'x'.repeat(64)],
  ])('from "%s" is "%s"', (name, expected) => {
    expect(safeFileName(name)).toBe(expected);
  });

  it('is unique among all names, also where case does not count', () => {
    const taken = new Set<string>();
    const names = ['Lung', 'lung', 'LUNG', 'Lung!', 'lung-2', '肺', '心'].map((name) => safeFileName(name, taken));
    expect(names).toEqual(['Lung', 'lung-2', 'LUNG-3', 'Lung-4', 'lung-2-2', 'unnamed', 'unnamed-2']);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(7);
  });
});
