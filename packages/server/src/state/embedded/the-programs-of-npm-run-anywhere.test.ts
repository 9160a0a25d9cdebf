/** npm run without scripts, as root, below a closed folder: the programs run, or the message says what to do. */
import { execFile } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reachableBinaries } from './initialise.js';
import { binariesIn, findBinaries, makeLibraryLinks } from './platform-binaries.js';
import { canReach, unprivilegedUser } from './run-as.js';

const root = process.getuid?.() === 0;

describe('the PostgreSQL that npm installed', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isocenter-programs-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is found, and is version 18', async () => {
    const { postgres, version } = await findBinaries();
    const { stdout } = await promisify(execFile)(postgres, ['--version']);
    expect(stdout).toMatch(/^postgres \(PostgreSQL\) 18\./);
    expect(version).toMatch(/^18\./);
  });

  it('gets its library links when npm ran no scripts', async () => {
    await mkdir(join(folder, 'native/lib'), { recursive: true });
    await writeFile(join(folder, 'native/lib/libx.so.5.18'), 'library');
    const links = [
      { source: 'native/lib/libx.so.5.18', target: 'native/lib/libx.so' },
      { source: 'native/lib/libx.so.5.18', target: 'native/lib/libx.so.5' },
    ];
    await writeFile(join(folder, 'native/pg-symlinks.json'), JSON.stringify(links));
    // Two servers may start at the same moment after the installation.
    await Promise.all([makeLibraryLinks(folder, '@x/y'), makeLibraryLinks(folder, '@x/y')]);
    expect(await readlink(join(folder, 'native/lib/libx.so.5'))).toBe('libx.so.5.18');
    expect(await readFile(join(folder, 'native/lib/libx.so'), 'utf8')).toBe('library');
  });

  it('says what to run when the links cannot be made', async () => {
    await mkdir(join(folder, 'native'));
    await writeFile(
      join(folder, 'native/pg-symlinks.json'),
      JSON.stringify([{ source: 'native/no/a', target: 'native/no/b' }]),
    );
    await expect(makeLibraryLinks(folder, '@x/y')).rejects.toMatchObject({
      kind: 'binaries-missing',
      next: expect.stringContaining('npm rebuild @x/y'),
    });
  });

  it.runIf(root)('is copied, once, to where another account can run it', async () => {
    const runAs = await unprivilegedUser();
    const found = await findBinaries();
    expect(await reachableBinaries(found, runAs, folder)).toBe(found);
    if (!runAs) throw new Error('root runs it as another account');

    // What npm installs below /root: nobody else may walk in.
    const closed = join(folder, 'closed');
    await mkdir(closed, { mode: 0o700 });
    await promisify(execFile)('cp', ['-a', found.folder, join(closed, 'native')]);
    const unreachable = binariesIn(join(closed, 'native'), found.version);
    expect(await canReach(unreachable.postgres, runAs)).toBe(false);
    await chmod(folder, 0o711);
    const place = join(folder, 'place');
    const copied = await Promise.all([1, 2].map(() => reachableBinaries(unreachable, runAs, place)));
    for (const { postgres } of copied) {
      const { stdout } = await promisify(execFile)(postgres, ['--version'], { ...runAs, cwd: '/' });
      expect(stdout).toContain('18.');
      await access(join(place, `postgres-programs-${found.version}`));
    }
  });

  it.runIf(root)('runs as no account that has rights, and says so when there is none', async () => {
    const accounts = join(folder, 'passwd');
    await writeFile(accounts, 'root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n');
    await expect(unprivilegedUser(accounts)).rejects.toMatchObject({
      kind: 'no-unprivileged-user',
      next: expect.stringContaining('useradd --system isocenter'),
    });
    await writeFile(accounts, 'root:x:0:0::/:\nnobody:x:65534:65534::/:\npostgres:x:101:104::/:\n');
    expect(await unprivilegedUser(accounts)).toEqual({ uid: 101, gid: 104 });
  });
});
