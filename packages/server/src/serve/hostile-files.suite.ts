/** Files that lie: bombs, forged sizes, climbing names, impossible images. Each is small, and made here byte by byte. */
import { constants, crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { Dataset, parseDicom, writeDicom } from '@isocenter/dicom';
import { makePhantom } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';

const MEGABYTE = 1024 * 1024;
const ZEROS = Buffer.alloc(32 * MEGABYTE);

/** 10 GB of zeros in 10 MB: members of gzip follow each other (RFC 1952 2.2). */
export function gzipBomb(): Buffer {
  const member = gzipSync(ZEROS);
  return Buffer.concat(Array.from({ length: 320 }, () => member));
}

/** A deflate stream of so many times 32 MB of zeros. */
function deflateBomb(times: number): Buffer {
  const part = deflateRawSync(ZEROS, { finishFlush: constants.Z_SYNC_FLUSH });
  return Buffer.concat([...Array.from({ length: times }, () => part), deflateRawSync(Buffer.alloc(0))]);
}

export interface Entry {
  readonly name: string | Buffer;
  readonly data?: Buffer;
  /** 0 stored, 8 deflated. */
  readonly method?: number;
  /** What is said of the unpacked size; default: the truth for stored ones. */
  readonly size?: number;
  /** Offset of the local header, when it is a lie. */
  readonly at?: number;
  /** Unix mode, for links. */
  readonly mode?: number;
}

/** PKWARE APPNOTE 4.3, without any check. */
export function rawZip(entries: readonly Entry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data = Buffer.alloc(0), method = 0, size = data.length, at, mode = 0 } of entries) {
    const bytes = Buffer.from(name as string);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(method, 4);
    fields.writeUInt32LE(method === 0 ? crc32(data) : 0, 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(size, 18);
    fields.writeUInt16LE(bytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, bytes, data]);
    if (at === undefined) locals.push(local);
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02', 0, 'latin1');
    entry.writeUInt16LE(3 * 256 + 20, 4);
    fields.copy(entry, 6);
    entry.writeUInt32LE((mode << 16) >>> 0, 38);
    entry.writeUInt32LE(at ?? offset, 42);
    directory.push(entry, bytes);
    if (at === undefined) offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 8);
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

const LINK = 0o120777;

export function archives(): Record<string, Buffer> {
  const bomb = deflateBomb(320);
  const inner = rawZip([{ name: 'bomb.dcm', data: deflateBomb(32), method: 8, size: 32 * ZEROS.length }]);
  let nested = inner;
  for (let depth = 0; depth < 8; depth++)
    nested = rawZip(
      Array.from({ length: depth === 0 ? 3 : 1 }, (_, n) => ({ name: `${depth}-${n}.zip`, data: nested })),
    );
  const many = Array.from({ length: 100_000 }, (_, n) => ({ name: `f${n}`, data: Buffer.from('x') }));
  const tar = Buffer.alloc(1536);
  tar.write('image.dcm', 0);
  tar.write('77777777777', 124);
  tar.write('ustar', 257);
  tar.write('0', 156);
  return {
    'a gzip bomb': gzipBomb(),
    'a zip bomb that says its size': rawZip([{ name: 'a.dcm', data: bomb, method: 8, size: 0xfffffffe }]),
    'a zip bomb that says a small size': rawZip([{ name: 'a.dcm', data: bomb, method: 8, size: 1000 }]),
    'a zip in which a thousand names share one bomb': rawZip([
      { name: 'a.dcm', data: deflateBomb(4), method: 8, size: 4 * ZEROS.length },
      ...Array.from({ length: 1000 }, (_, n) => ({ name: `b${n}.dcm`, data: Buffer.alloc(0), at: 0 })),
    ]),
    'bombs in zips in zips': nested,
    'a zip of 100,000 entries': rawZip(many),
    'a zip whose entries lie outside of it': rawZip([{ name: 'a.dcm', at: 0x7fffffff, size: 500 }]),
    'a zip whose name climbs': rawZip([{ name: '../../../../tmp/evil.dcm', data: Buffer.from('x') }]),
    'a zip with a link': rawZip([{ name: 'link', data: Buffer.from('/etc/passwd'), mode: LINK }]),
    'a zip with a NUL in a name': rawZip([{ name: 'a\0b.dcm', data: Buffer.from('x') }]),
    'a zip with names that are no UTF-8': rawZip([{ name: Buffer.from([0xff, 0xfe, 0x2f]), data: Buffer.from('x') }]),
    'a tar of gigabytes': tar,
  };
}

const PALETTES: Readonly<Record<string, readonly number[]>> = {
  'a palette of 65,536 entries that are not there': [0, 0, 16],
  'a palette that begins beyond all values': [256, 65_535, 16],
  'a palette of no bits': [256, 0, 0],
};

export async function images(): Promise<Record<string, Buffer>> {
  const { files } = await makePhantom({ kind: 'thorax', size: [32, 32, 6], spacing: [14, 14, 46] });
  const study = async (change: (dataset: Dataset, n: number) => unknown, syntax?: string) =>
    Buffer.from(
      await writeZip(
        files.map(({ name, bytes }, n) => {
          const { dataset } = parseDicom(bytes);
          change(dataset, n);
          const written = Buffer.from(writeDicom(dataset));
          if (syntax === undefined) return { name, bytes: written };
          const other = syntax.padEnd('1.2.840.10008.1.2.1\0'.length, '\0');
          return {
            name,
            bytes: Buffer.from(written.toString('latin1').replace('1.2.840.10008.1.2.1\0', other), 'latin1'),
          };
        }),
      ),
    );
  const palettes: Record<string, Buffer> = {};
  for (const [what, descriptor] of Object.entries(PALETTES))
    palettes[what] = await study((d) => {
      d.set('PhotometricInterpretation', 'PALETTE COLOR');
      for (const colour of ['Red', 'Green', 'Blue'] as const)
        d.set(`${colour}PaletteColorLookupTableDescriptor`, descriptor, 'US').set(
          `${colour}PaletteColorLookupTableData`,
          new Uint8Array(8),
          'OW',
        );
    });
  const nifti = Buffer.alloc(352 + 64);
  nifti.writeInt32LE(348, 0);
  for (const [n, size] of [3, 32_767, 32_767, 32_767, 1, 1, 1, 1].entries()) nifti.writeInt16LE(size, 40 + 2 * n);
  nifti.writeInt16LE(16, 70);
  nifti.writeInt16LE(32, 72);
  nifti.writeFloatLE(352, 108);
  nifti.write('n+1\0', 344, 'latin1');
  const nrrd = (more: string) => Buffer.from(`NRRD0005\ntype: short\ndimension: 3\nendian: little\n${more}\n\n`);
  const [{ bytes: first }] = files;
  return {
    ...palettes,
    'an image of 65,535 rows and columns': await study((d) => d.set('Rows', 65_535).set('Columns', 65_535)),
    'an image without rows': await study((d) => d.set('Rows', 0)),
    'rows as four bytes': await study((d) => d.set('Rows', 2 ** 31, 'UL').set('Columns', 2 ** 31, 'UL')),
    'two thousand million frames': await study((d) => d.set('NumberOfFrames', 2_147_483_647)),
    '64 bits in 16': await study((d) => d.set('BitsAllocated', 64).set('BitsStored', 65_535)),
    '65,535 samples': await study((d) => d.set('SamplesPerPixel', 65_535)),
    'spacing of nothing': await study((d) => d.set('PixelSpacing', ['0', '-1'])),
    'slices a light year apart': await study((d, n) => d.set('ImagePositionPatient', ['0', '0', `${n}e15`])),
    'pixels that say RLE and are not': await study(() => undefined, '1.2.840.10008.1.2.5'),
    'pixels that say JPEG 2000 and are not': await study(() => undefined, '1.2.840.10008.1.2.4.90'),
    'a header that says it is deflated': await study(() => undefined, '1.2.840.10008.1.2.1.99'),
    'a cut meta header': Buffer.from(first.subarray(0, 140)),
    'a DICOMDIR that points outside': Buffer.from(
      await writeZip([
        { name: 'DICOMDIR', bytes: dicomdir() },
        { name: 'a.txt', bytes: Buffer.from('x') },
      ]),
    ),
    'a NIfTI of 35 million million voxels': nifti,
    'an NRRD of more': nrrd('sizes: 2000000000 2000000000 2000000000\nencoding: raw'),
    'an NRRD that is a gzip bomb': Buffer.concat([nrrd('sizes: 64 64 64\nencoding: gzip'), gzipBomb()]),
    'an NRRD with its data in a file of the server': nrrd('sizes: 8 8 8\nencoding: raw\ndata file: /etc/passwd'),
  };
}

function dicomdir(): Uint8Array {
  return writeDicom(
    new Dataset()
      .set('SOPClassUID', '1.2.840.10008.1.3.10')
      .set('SOPInstanceUID', '1.2.3')
      .set(0x00041130, 'ISOCENTER', 'CS')
      .set(0x00041500, ['..', '..', 'ETC', 'PASSWD'], 'LO'),
  );
}
