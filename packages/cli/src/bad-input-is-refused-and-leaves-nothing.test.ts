/**
 * Promise: whatever is handed in, the command line answers with the documented status and says what, where and what next,
 * without a stack and without a patient's name; and when it refuses, nothing stays behind.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { Dataset, uidFrom, writeDicom } from '@isocenter/dicom';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exitCodes } from './exit-codes.js';
import { type Ran, run, spawnCli, Workplace } from './run-cli.suite.js';
import { type Edit, edited, PLANTED, patched, pixels, type StudyFile, study, zip } from './studies.suite.js';

let place: Workplace;
let before: string[];
beforeEach(() => {
  place = new Workplace();
});
afterEach(() => place.remove());

function put(name: string, bytes: Uint8Array | string): string {
  const path = place.path(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

async function putZip(files: readonly StudyFile[]): Promise<string> {
  return put(`${PLANTED}.zip`, await zip(files));
}

const segment = (input: string, ...more: string[]) => {
  before = place.everything();
  return run('segment', input, '--model', 'ct-basic', '--out', place.path('out'), ...more);
};

/** What every refusal has in common; `says`: words of what, where and next step. */
function expectRefusal(ran: Ran, status: number, ...says: RegExp[]): void {
  expect(ran.status, ran.all).toBe(status);
  for (const words of says) expect(ran.all).toMatch(words);
  expect(ran.all).not.toMatch(/^\s+at /m);
  expect(ran.all).not.toContain('defect of Isocenter');
  expect(ran.all).not.toContain('PLANTED');
  expect(place.since(before), 'left behind').toEqual([]);
}

function expectDone(ran: Ran, ...says: RegExp[]): void {
  expect(ran.status, ran.all).toBe(exitCodes.ok);
  for (const words of says) expect(ran.all).toMatch(words);
  expect(ran.all).not.toContain('PLANTED');
  const made = place.since(before);
  expect(made).toContain(join('out', 'segmentation.rtstruct.dcm'));
  expect(made.filter((path) => !/^out($|\/segmentation\.)/.test(path))).toEqual([]);
}

const NEXT = /Next: \S+/;

describe('an archive that is none, or lies', () => {
  it('empty zip', async () => {
    const empty = Buffer.alloc(22);
    empty.writeUInt32LE(0x06054b50, 0);
    expectRefusal(await segment(put(`${PLANTED}.zip`, empty)), exitCodes.input, /zip is empty/, NEXT);
  });

  it('text file as zip', async () => {
    const ran = await segment(put(`${PLANTED}.zip`, 'Dear colleague, here is the study.\n'.repeat(30)));
    expectRefusal(ran, exitCodes.input, /not a zip, tar or gzip file/, /first bytes/, /Next: Pack the files/);
  });

  it('file of no bytes as zip', async () => {
    expectRefusal(await segment(put(`${PLANTED}.zip`, '')), exitCodes.input, /not a zip/, NEXT);
  });

  it('truncated zip', async () => {
    const whole = await zip(await study());
    const ran = await segment(put(`${PLANTED}.zip`, whole.subarray(0, whole.length / 2)));
    expectRefusal(ran, exitCodes.input, /cut|incomplete|truncated/i, NEXT);
  });

  it('wrong CRC of one entry', async () => {
    const files = await study();
    const crc = Buffer.alloc(4);
    crc.writeUInt32LE(crc32(files[3].bytes));
    const whole = patched(await zip(files), crc, Buffer.from([1, 2, 3, 4]), true);
    const ran = await segment(put(`${PLANTED}.zip`, whole));
    expectRefusal(ran, exitCodes.input, /do not match their checksum/, /entry 4/, NEXT);
  });

  it('bomb: 1 GB from 1 MB, refused in 10 s and 300 MB', async () => {
    const block = Buffer.alloc(2 ** 26);
    const bomb = repeatedZip({ packed: deflateRawSync(block), size: block.length, crc: crc32(block), method: 8 }, 16);
    expect(bomb.length).toBeLessThan(1.2e6);
    const path = put(`${PLANTED}.zip`, bomb);
    before = place.everything();
    const out = place.path('out');
    let peak = 0;
    const started = Date.now();
    const ran = await spawnCli(['segment', path, '--model', 'ct-basic', '--out', out], async ({ pid }) => {
      for (let now = residentPeak(pid); now > 0; now = residentPeak(pid)) {
        peak = Math.max(peak, now);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    expectRefusal(ran, exitCodes.input, /from \d+ to 1073741824 bytes/, NEXT);
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(peak).toBeLessThan(300 * 2 ** 20);
  });

  it('100,000 entries', async () => {
    const path = put(`${PLANTED}.zip`, repeatedZip({ packed: Buffer.alloc(0), size: 0, crc: 0, method: 0 }, 100_000));
    const started = Date.now();
    expectRefusal(await segment(path), exitCodes.input, /100000|100,000/, NEXT);
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('names that climb out with ../', async () => {
    const [file] = await study();
    const whole = await zip([{ ...file, name: `aa/${PLANTED}.dcm` }]);
    const climbing = patched(whole, Buffer.from('aa/PLANTED'), Buffer.from('../PLANTED'), true);
    const ran = await segment(put('study.zip', climbing));
    expectRefusal(ran, exitCodes.input, /points outside/, /entry 1/, /Next: Do not trust/);
  });

  it('encrypted zip', async () => {
    const whole = await zip(await study());
    for (const [signature, flags] of [
      [0x04034b50, 6],
      [0x02014b50, 8],
    ])
      for (let at = 0; at + 30 < whole.length; at++)
        if (whole.readUInt32LE(at) === signature) whole.writeUInt16LE(whole.readUInt16LE(at + flags) | 1, at + flags);
    const ran = await segment(put(`${PLANTED}.zip`, whole));
    expectRefusal(ran, exitCodes.input, /password|encrypted/i, NEXT);
  });

  it('DICOMDIR that points outside: the images beside it are used, the file it points to is not', async () => {
    put('secret.dcm', edited(await study(), (d) => d.set('Modality', 'MR'))[0].bytes);
    const record = new Dataset()
      .set('DirectoryRecordType', 'IMAGE')
      .set('ReferencedFileID', outside('../../secret.dcm'), 'CS');
    const directory = new Dataset()
      .set('SOPClassUID', '1.2.840.10008.1.3.10')
      .set('SOPInstanceUID', uidFrom('directory'))
      .set('DirectoryRecordSequence', [record]);
    const files = [...(await study()), { name: 'DICOMDIR', bytes: writeDicom(directory) }];
    expectDone(await segment(await putZip(files)), /CT, original, 8 slices, the only usable series/);
  });

  it('DICOMDIR alone', async () => {
    const directory = new Dataset()
      .set('SOPClassUID', '1.2.840.10008.1.3.10')
      .set('SOPInstanceUID', uidFrom('directory'))
      .set('DirectoryRecordSequence', [new Dataset().set('ReferencedFileID', outside('../../../etc/passwd'), 'CS')]);
    const ran = await segment(await putZip([{ name: 'DICOMDIR', bytes: writeDicom(directory) }]));
    expectRefusal(ran, exitCodes.input, /no image series/, /DICOMDIR/, /Next: Add the images/);
  });
});

/** The value of a File ID as bytes: our writer refuses dots. */
function outside(path: string): Uint8Array {
  return Buffer.from(path.replaceAll('/', '\\').padEnd(path.length + (path.length % 2)));
}

/** High-water mark of a process in bytes; 0 when it is gone. */
function residentPeak(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

interface RawEntry {
  readonly packed: Buffer;
  readonly size: number;
  readonly crc: number;
  readonly method: 0 | 8;
}

/** A zip64 of the same entry `count` times (APPNOTE 4.3), without asking a library for 100,000 of them or for 1 GB. */
function repeatedZip(entry: RawEntry, count: number): Buffer {
  const { packed, size, crc, method } = entry;
  const fields = (at: number, header: Buffer) => {
    header.writeUInt16LE(method, at);
    header.writeUInt32LE(crc, at + 6);
    header.writeUInt32LE(packed.length, at + 10);
    header.writeUInt32LE(size, at + 14);
    header.writeUInt16LE(7, at + 18);
    return header;
  };
  const local = fields(8, Buffer.concat([Buffer.from('504b0304', 'hex'), Buffer.alloc(26)]));
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  for (let n = 0; n < count; n++) {
    const name = Buffer.from(`f${String(n).padStart(6, '0')}`);
    parts.push(local, name, packed);
    const central = fields(10, Buffer.concat([Buffer.from('504b0102', 'hex'), Buffer.alloc(42)]));
    central.writeUInt32LE(n * (37 + packed.length), 42);
    directory.push(central, name);
  }
  const listed = Buffer.concat(directory);
  const offset = count * (37 + packed.length);
  const end64 = Buffer.concat([Buffer.from('504b0606', 'hex'), Buffer.alloc(52)]);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(BigInt(count), 24);
  end64.writeBigUInt64LE(BigInt(count), 32);
  end64.writeBigUInt64LE(BigInt(listed.length), 40);
  end64.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.concat([Buffer.from('504b0607', 'hex'), Buffer.alloc(16)]);
  locator.writeBigUInt64LE(BigInt(offset + listed.length), 8);
  locator.writeUInt32LE(1, 16);
  const end = Buffer.concat([Buffer.from('504b050600000000', 'hex'), Buffer.alloc(12, 0xff), Buffer.alloc(2)]);
  return Buffer.concat([...parts, listed, end64, locator, end]);
}

describe('a study that is not what it should be', () => {
  it('two series that fit equally well', async () => {
    const second = edited(await study(), (d, k) =>
      d.set('SeriesInstanceUID', uidFrom('second')).set('SOPInstanceUID', uidFrom(`second ${k}`)),
    ).map((file) => ({ ...file, name: `2/${file.name}` }));
    const path = await putZip([...(await study()), ...second]);
    expectRefusal(await segment(path), exitCodes.input, /2 series fit equally well/, /--series/, NEXT);
    expectDone(await segment(path, '--series', '2'), /series 2 was chosen/i);
  });

  it('missing slices', async () => {
    const files = (await study()).filter((_, k) => k !== 3 && k !== 4);
    const ran = await segment(await putZip(files));
    expectRefusal(ran, exitCodes.input, /2 slices are missing/, / mm/, NEXT);
  });

  it('duplicates that are equal: used once, and said', async () => {
    const files = await study();
    const copies = files.slice(2, 4).map((file) => ({ ...file, name: `copy/${file.name}` }));
    expectDone(await segment(await putZip([...files, ...copies])), /2 images repeat/, /64 × 64 × 8/);
  });

  it('duplicates that contradict each other', async () => {
    const files = await study();
    const other = edited([files[2]], (d) =>
      d.set('SOPInstanceUID', uidFrom('other')).set('PixelData', new Uint8Array(64 * 64 * 2), 'OW'),
    );
    const ran = await segment(await putZip([...files, { ...other[0], name: 'other' }]));
    expectRefusal(ran, exitCodes.input, /same position|contradict|differ/i, / mm/, NEXT);
  });

  it('one slice only: done, with a warning', async () => {
    const [, , , , slice] = await study();
    const ran = await segment(await putZip([slice]));
    expectDone(ran, /Warning: .*(one|single) (image|slice)/i);
  });

  const refusals: Readonly<Record<string, { edit: Edit; says: RegExp[] }>> = {
    'Rows that lie upwards': { edit: (d) => d.set('Rows', 5000), says: [/pixel data/i, /Rows/] },
    'Rows and Columns of 65535': {
      edit: (d) => d.set('Rows', 65535).set('Columns', 65535),
      says: [/pixel data/i, /Rows/],
    },
    'Rows of zero': { edit: (d) => d.set('Rows', 0), says: [/Rows/] },
    'pixel data shorter than the image': {
      edit: (d) => d.set('PixelData', new Uint8Array(100), 'OW'),
      says: [/pixel data/i],
    },
    colour: {
      edit: (d) =>
        d
          .set('PhotometricInterpretation', 'RGB')
          .set('SamplesPerPixel', 3)
          .set('PlanarConfiguration', 0)
          .set('BitsAllocated', 8)
          .set('BitsStored', 8)
          .set('HighBit', 7)
          .set('PixelData', new Uint8Array(64 * 64 * 3), 'OB'),
      says: [/Colour images/, /Next: Send the original grey-scale series/],
    },
    'a model needing CT, given MR': {
      edit: (d) => d.set('Modality', 'MR').set('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4'),
      says: [/ct-basic:[\d.]+ needs CT and the study holds MR/, /channel/, /Next: Give a CT series/],
    },
  };
  for (const [name, { edit, says }] of Object.entries(refusals))
    it(`${name}: refused`, async () => {
      const ran = await segment(await putZip(edited(await study(), edit)));
      expectRefusal(ran, exitCodes.input, ...says, NEXT);
    });

  it('truncated pixel data of one file', async () => {
    const files = (await study()).map((file, k) =>
      k === 4 ? { ...file, bytes: file.bytes.subarray(0, file.bytes.length - 300) } : file,
    );
    const ran = await segment(await putZip(files));
    expectRefusal(ran, exitCodes.input, /1 of the files cannot be read/, /8192 bytes, but 7892/, /--ignore-damaged/);
  });

  it('unknown transfer syntax', async () => {
    const from = Buffer.from('1.2.840.10008.1.2.1\0');
    const to = Buffer.from('1.2.840.10008.9.9.9\0');
    const files = (await study()).map((file) => ({ ...file, bytes: patched(file.bytes, from, to) }));
    const ran = await segment(await putZip(files));
    expectRefusal(ran, exitCodes.input, /1\.2\.840\.10008\.9\.9\.9/, NEXT);
  });

  const accepted: Readonly<Record<string, Edit>> = {
    'signed pixels': (d) => {
      const values = pixels(d).map((value) => value - 1024);
      d.set('PixelRepresentation', 1).set('RescaleIntercept', 0).set('BitsStored', 16).set('HighBit', 15);
      d.set('PixelData', new Uint8Array(values.buffer), 'OW');
    },
    '8-bit pixels': (d) => {
      const values = Uint8Array.from(pixels(d), (value) => Math.min(255, value >> 3));
      d.set('BitsAllocated', 8).set('BitsStored', 8).set('HighBit', 7).set('RescaleSlope', 8);
      d.set('PixelData', values, 'OB');
    },
    MONOCHROME1: (d) => d.set('PhotometricInterpretation', 'MONOCHROME1'),
  };
  for (const [name, edit] of Object.entries(accepted))
    it(`${name}: the same HU, the same lungs`, async () => {
      const lungs = ({ stdout }: Ran) =>
        JSON.parse(stdout).structures.filter(({ name }: { name: string }) => name.startsWith('Lung_'));
      const plain = lungs(await segment(await putZip(await study()), '--json', '--force'));
      const ran = await segment(await putZip(edited(await study(), edit)), '--json', '--force');
      expect(ran.status, ran.all).toBe(exitCodes.ok);
      expect(ran.all).not.toContain('PLANTED');
      for (const [at, lung] of lungs(ran).entries())
        expect(Math.abs(lung.voxels / plain[at].voxels - 1), lung.name).toBeLessThan(0.02);
    });
});

describe('an input without images', () => {
  it('a folder with nothing in it', async () => {
    mkdirSync(place.path('empty'));
    expectRefusal(await segment(place.path('empty')), exitCodes.input, /folder holds no files/, NEXT);
  });

  it('a folder of letters', async () => {
    put(`letters/${PLANTED}.txt`, 'Dear colleague');
    const ran = await segment(place.path('letters'));
    expectRefusal(ran, exitCodes.input, /no images/, /1 file, none is DICOM/, /Next: Give DICOM/);
  });

  it('a path that is not there, and one through a file', async () => {
    expectRefusal(await segment(place.path('nowhere')), exitCodes.input, /no such file/, NEXT);
    const file = put('a-file', 'x');
    expectRefusal(await segment(join(file, 'deeper')), exitCodes.input, NEXT);
  });

  it('a device', async () => {
    expectRefusal(await segment('/dev/zero'), exitCodes.input, /neither a file nor a folder/, NEXT);
  });

  it('links in a folder are not followed', async () => {
    const hidden = put('hidden/one.dcm', (await study())[0].bytes);
    mkdirSync(place.path('linked'));
    symlinkSync(hidden, place.path('linked/one.dcm'));
    expectRefusal(await segment(place.path('linked')), exitCodes.input, NEXT);
  });

  it('an RTSTRUCT alone', async () => {
    const made = await segment(await putZip(await study()));
    expectDone(made);
    const rtstruct = place.path('out/segmentation.rtstruct.dcm');
    before = place.everything();
    const ran = await run('segment', rtstruct, '--model', 'ct-basic', '--out', place.path('second'));
    expectRefusal(ran, exitCodes.input, /no image series/, /RTSTRUCT/, /Next: Add the images/);
  });
});

describe('a place that cannot be written to', () => {
  it('the output folder is a file', async () => {
    const input = await putZip(await study());
    put('out', 'a file');
    expectRefusal(await segment(input), exitCodes.output, /file where a folder is needed/, NEXT);
  });

  it('the output folder lies below a file', async () => {
    const input = await putZip(await study());
    put('file', 'a file');
    before = place.everything();
    const ran = await run('segment', input, '--model', 'ct-basic', '--out', place.path('file/out'));
    expectRefusal(ran, exitCodes.output, /file where a folder is needed/, NEXT);
  });

  it('earlier results are there: told before the work, and they stay as they were', async () => {
    const input = await putZip(await study());
    const earlier = put('out/segmentation.rtstruct.dcm', 'earlier');
    const ran = await segment(input);
    expectRefusal(ran, exitCodes.output, /exists already/, /segmentation\.rtstruct\.dcm/, /--force/);
    expect(ran.all).not.toMatch(/voxels/);
    expect(existsSync(earlier)).toBe(true);
  });

  const mounting = canMount();
  describe.skipIf(mounting !== undefined)(`on a disk of its own${mounting ? ` (skipped: ${mounting})` : ''}`, () => {
    const mount = (...options: string[]) => {
      mkdirSync(place.path('disk'), { recursive: true });
      execFileSync('mount', [...options, 'tmpfs', place.path('disk')]);
    };
    afterEach(() => execFileSync('umount', [place.path('disk')]));
    const intoDisk = (input: string) =>
      run(
        'segment',
        input,
        '--model',
        'ct-basic',
        '--out',
        place.path('disk/out'),
        '--format',
        'rtstruct,seg,nifti,sc',
      );

    it('full: said as such, and the disk is empty again', async () => {
      const input = await putZip(await study({ size: [128, 128, 24], spacing: [3, 3, 10] }));
      mount('-t', 'tmpfs', '-o', 'size=64k');
      before = place.everything();
      expectRefusal(await intoDisk(input), exitCodes.output, /disk is full/, /Next: Free some space/);
      expect(readdirSync(place.path('disk'))).toEqual([]);
    });

    it('read-only: said as such, before the work', async () => {
      const input = await putZip(await study());
      mount('-t', 'tmpfs', '-o', 'size=64k,ro');
      before = place.everything();
      expectRefusal(await intoDisk(input), exitCodes.output, /read-only/, /Next: Choose an output folder/);
    });
  });
});

/** Undefined, or why no file system can be mounted here. */
function canMount(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root can mount a tmpfs';
  const probe = new Workplace();
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', probe.temporary], { stdio: 'ignore' });
    execFileSync('umount', [probe.temporary]);
    return undefined;
  } catch {
    return 'mounting is not allowed here';
  } finally {
    probe.remove();
  }
}
