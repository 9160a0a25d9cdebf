/** Folder, file, zip, tar, tar.gz and gz give the same sources, whatever they are called, and equal to what other readers see. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBufferPromise } from 'yauzl';
import { describeWithData, describeWithPrograms, sharedData } from '../../../../tools/test/needs.js';
import { type OpenedSources, openSources } from './open-sources.js';
import { mapConcurrently } from './source.js';
import { writeZip } from './write-zip.js';

const contents: Record<string, string> = { 'a/1': 'one', 'a/2': 'two '.repeat(5000), 'b c/ü': 'three' };
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'intake-test-'));
  mkdirSync(join(folder, 'study/a'), { recursive: true });
  mkdirSync(join(folder, 'study/b c'));
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, 'study', name), content);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function everything(opened: OpenedSources): Promise<Record<string, string>> {
  const pairs = await mapConcurrently(opened.sources, async (source) => {
    const bytes = await source.read();
    expect(bytes.length).toBe(source.size);
    expect(Buffer.from(await source.prefix(7))).toEqual(Buffer.from(bytes.subarray(0, 7)));
    return [source.name, Buffer.from(bytes).toString()];
  });
  await opened.close();
  await opened.close();
  return Object.fromEntries(pairs);
}

const zipped = () =>
  writeZip(Object.entries(contents).map(([name, content]) => ({ name, bytes: Buffer.from(content) })));

describe('one study in different wrappings', () => {
  it('is the same from a folder, sorted by name', async () => {
    const opened = await openSources(join(folder, 'study'));
    expect(opened.sources.map((source) => source.name)).toEqual(['a/1', 'a/2', 'b c/ü']);
    expect(await everything(opened)).toEqual(contents);
  });

  it('is the same from a zip in memory and on disk, under a name that lies', async () => {
    expect(await everything(await openSources(await zipped()))).toEqual(contents);
    writeFileSync(join(folder, 'upload.dcm'), await zipped());
    const opened = await openSources(join(folder, 'upload.dcm'));
    expect(opened.origin).toBe('zip');
    expect(await everything(opened)).toEqual(contents);
  });

  it('is one source when it is one file, and unpacked when that file is gzip', async () => {
    expect(await everything(await openSources(join(folder, 'study/a/1')))).toEqual({ 1: 'one' });
    expect(await everything(await openSources(gzipSync('one'), { name: 'scan.nii.gz' }))).toEqual({
      'scan.nii': 'one',
    });
  });

  it('is refused as an archive when only its name says so', async () => {
    writeFileSync(join(folder, 'letter.zip'), 'Dear Sir or Madam');
    await expect(openSources(join(folder, 'letter.zip'))).rejects.toMatchObject({ kind: 'not-an-archive' });
  });

  it('is accepted as DICOM when its name wrongly says zip', async () => {
    const dicom = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.alloc(600)]);
    expect((await openSources(dicom, { name: 'image.zip' })).origin).toBe('file');
  });

  it('reports a path that is not there, an empty folder and a gzip cut short', async () => {
    await expect(openSources(join(folder, 'nowhere'))).rejects.toMatchObject({ kind: 'not-found' });
    mkdirSync(join(folder, 'empty'));
    await expect(openSources(join(folder, 'empty'))).rejects.toMatchObject({ kind: 'empty-folder' });
    const packed = gzipSync(Buffer.from('some text that is long enough'.repeat(50)));
    for (let length = 2; length < packed.length; length++)
      await expect(openSources(packed.subarray(0, length)), `cut at ${length}`).rejects.toMatchObject({
        kind: 'truncated',
      });
    packed[packed.length - 6] ^= 1;
    await expect(openSources(packed)).rejects.toMatchObject({ kind: 'crc-mismatch' });
  });

  it('does not follow links out of the folder, and leaves litter out', async () => {
    const linked = join(folder, 'linked');
    mkdirSync(linked);
    writeFileSync(join(linked, 'real'), 'x');
    writeFileSync(join(linked, '.DS_Store'), 'x');
    symlinkSync('/etc/passwd', join(linked, 'outside'));
    symlinkSync('/', join(linked, 'root'));
    const opened = await openSources(linked);
    expect(opened.sources.map((source) => source.name)).toEqual(['real']);
    expect(opened.ignored).toBe(3);
  });

  it('notices a file that shrank or grew since the folder was listed', async () => {
    const path = join(folder, 'changing');
    mkdirSync(path);
    writeFileSync(join(path, 'x'), 'four');
    const { sources } = await openSources(path);
    writeFileSync(join(path, 'x'), 'fo');
    await expect(sources[0].read()).rejects.toMatchObject({ kind: 'truncated' });
    writeFileSync(join(path, 'x'), 'longer');
    await expect(sources[0].read()).rejects.toMatchObject({ kind: 'size-mismatch' });
  });

  it.skipIf(process.getuid?.() === 0)('names a file without permission as unreadable', async () => {
    const path = join(folder, 'secret');
    writeFileSync(path, 'x');
    chmodSync(path, 0);
    await expect(openSources(path)).rejects.toMatchObject({ kind: 'unreadable' });
  });

  it('stops reading when the archive was closed', async () => {
    writeFileSync(join(folder, 'closed.zip'), await zipped());
    const opened = await openSources(join(folder, 'closed.zip'));
    await opened.close();
    await expect(opened.sources[0].read()).rejects.toMatchObject({ kind: 'closed' });
  });
});

describe('a zip we write', () => {
  it('is the same bytes in every time zone', async () => {
    const here = await zipped();
    const before = process.env.TZ;
    process.env.TZ = 'Pacific/Auckland';
    const there = await zipped();
    process.env.TZ = before ?? '';
    if (before === undefined) delete process.env.TZ;
    expect(there.equals(here)).toBe(true);
  });

  it('refuses to hold a name that climbs', async () => {
    expect(() => writeZip([{ name: '../x', bytes: Buffer.alloc(0) }])).toThrow(
      expect.objectContaining({ kind: 'unsafe-name' }),
    );
  });
});

describeWithPrograms(['tar'], 'tars made by the tar program', () => {
  const make = (name: string, ...options: string[]) => {
    execFileSync('tar', ['-cf', join(folder, name), ...options, '-C', join(folder, 'study'), 'a', 'b c']);
    return join(folder, name);
  };

  it.each(['gnu', 'pax', 'ustar', 'v7'])(
    'are read in the format %s, plain and gzipped, from disk and memory',
    async (format) => {
      for (const options of [[], ['-z']]) {
        const path = make(`${format}${options.length}`, `--format=${format}`, ...options);
        for (const input of [path, readFileSync(path)]) {
          const opened = await openSources(input, { expect: 'archive' });
          expect(opened.origin).toBe(options.length > 0 ? 'tar.gz' : 'tar');
          expect(await everything(opened)).toEqual(contents);
        }
      }
    },
  );

  it('keep names of more than 100 characters', async () => {
    const long = `${'d'.repeat(60)}/${'e'.repeat(60)}/${'f'.repeat(30)}`;
    mkdirSync(join(folder, 'long', long), { recursive: true });
    writeFileSync(join(folder, 'long', long, 'x'), 'deep');
    for (const format of ['gnu', 'pax', 'ustar']) {
      const path = join(folder, `long-${format}.tar`);
      execFileSync('tar', [`--format=${format}`, '-cf', path, '-C', join(folder, 'long'), '.']);
      const opened = await openSources(path);
      expect(opened.sources[0].name.endsWith(`${'f'.repeat(30)}/x`)).toBe(true);
      await opened.close();
    }
  });

  it('are refused when cut anywhere, when a name climbs, and when they hold nothing', async () => {
    const whole = readFileSync(make('cut.tar'));
    for (let length = 600; length < whole.length - 9216; length += 512)
      await expect(openSources(whole.subarray(0, length)), `cut at ${length}`).rejects.toMatchObject({
        kind: 'truncated',
      });
    execFileSync('tar', ['-cPf', join(folder, 'climb.tar'), '-C', join(folder, 'study/a'), '../a/1'], {
      stdio: 'pipe',
    });
    await expect(openSources(join(folder, 'climb.tar'))).rejects.toMatchObject({ kind: 'unsafe-name' });
    mkdirSync(join(folder, 'bare'));
    execFileSync('tar', ['-cf', join(folder, 'bare.tar'), '-C', folder, 'bare']);
    await expect(openSources(join(folder, 'bare.tar'))).rejects.toMatchObject({ kind: 'empty-archive' });
  });

  it('leave links out instead of following them', async () => {
    symlinkSync('/etc/passwd', join(folder, 'study/a/link'));
    const opened = await openSources(make('link.tar'));
    rmSync(join(folder, 'study/a/link'));
    expect(opened.ignored).toBe(1);
    expect(await everything(opened)).toEqual(contents);
  });
});

describeWithData('dicom-stress', 'real archives', () => {
  const zips = readdirSync(sharedData, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.zip'));

  it('are listed as yauzl lists them, and each byte passes its CRC', async () => {
    expect(zips.length).toBeGreaterThan(5);
    for (const zip of zips) {
      const bytes = readFileSync(join(sharedData, zip));
      const expected: string[] = [];
      for await (const entry of (await fromBufferPromise(bytes)).eachEntry())
        if (!entry.fileName.endsWith('/')) expected.push(`${entry.fileName} ${entry.uncompressedSize}`);
      const opened = await openSources(join(sharedData, zip));
      expect(opened.sources.map((source) => `${source.name} ${source.size}`)).toEqual(expected);
      for (const bytesOf of await mapConcurrently(opened.sources, (source) => source.read()))
        expect(bytesOf).toBeDefined();
      await opened.close();
    }
  });

  it('give one DICOM file from zipMR.gz', async () => {
    const opened = await openSources(join(sharedData, 'dicom-stress/malformed/zipMR.gz'));
    expect(opened.sources).toHaveLength(1);
    expect(Buffer.from(await opened.sources[0].prefix(132)).toString('latin1', 128)).toBe('DICM');
  });
});
