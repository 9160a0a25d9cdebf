/** Every kind of archive that anchors 4.2 rows 2, 3 and 21 describe, made byte by byte, is refused by kind and in bounded memory. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, gzipSync, crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ArchiveError } from './archive-error.js';
import { openSources } from './open-sources.js';
import { mapConcurrently } from './source.js';

interface Crafted {
  name: string;
  data?: Uint8Array;
  /** Fields that lie; what is left out is true. */
  packed?: Uint8Array;
  method?: number;
  flags?: number;
  crc?: number;
  size?: number;
  packedSize?: number;
  localOffset?: number;
  localName?: string;
  skipLocal?: boolean;
  descriptor?: boolean;
  zip64?: boolean;
}

/** A zip from the ground up (APPNOTE 4.3), with every field free to lie. */
function craftZip(
  entries: Crafted[],
  end: { count?: number; directoryBytes?: number; offset?: number; comment?: string } = {},
) {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const data = Buffer.from(entry.data ?? []);
    const method = entry.method ?? 8;
    const packed = Buffer.from(entry.packed ?? (method === 8 ? deflateRawSync(data) : data));
    const crc = entry.crc ?? zlibCrc32(data);
    const flags = (entry.flags ?? 0x800) | (entry.descriptor ? 8 : 0);
    const name = Buffer.from(entry.name);
    const localName = Buffer.from(entry.localName ?? entry.name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(entry.descriptor ? 0 : crc, 14);
    local.writeUInt32LE(entry.descriptor ? 0 : packed.length, 18);
    local.writeUInt32LE(entry.descriptor ? 0 : data.length, 22);
    local.writeUInt16LE(localName.length, 26);
    const localBytes = [local, localName, packed];
    if (entry.descriptor) {
      const tail = Buffer.alloc(16);
      tail.writeUInt32LE(0x08074b50, 0);
      tail.writeUInt32LE(crc, 4);
      tail.writeUInt32LE(packed.length, 8);
      tail.writeUInt32LE(data.length, 12);
      localBytes.push(tail);
    }
    const central = Buffer.alloc(46);
    const size = entry.size ?? data.length;
    const packedSize = entry.packedSize ?? packed.length;
    const extra = Buffer.alloc(entry.zip64 ? 28 : 0);
    if (entry.zip64) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      extra.writeBigUInt64LE(BigInt(size), 4);
      extra.writeBigUInt64LE(BigInt(packedSize), 12);
      extra.writeBigUInt64LE(BigInt(entry.localOffset ?? offset), 20);
    }
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(entry.zip64 ? 0xffffffff : packedSize, 20);
    central.writeUInt32LE(entry.zip64 ? 0xffffffff : size, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(extra.length, 30);
    central.writeUInt32LE(entry.zip64 ? 0xffffffff : (entry.localOffset ?? offset), 42);
    directory.push(central, name, extra);
    if (!entry.skipLocal) {
      parts.push(...localBytes);
      offset += localBytes.reduce((sum, part) => sum + part.length, 0);
    }
  }
  const directoryBytes = Buffer.concat(directory);
  const tail = Buffer.alloc(22);
  tail.writeUInt32LE(0x06054b50, 0);
  tail.writeUInt16LE(end.count ?? entries.length, 8);
  tail.writeUInt16LE(end.count ?? entries.length, 10);
  tail.writeUInt32LE(end.directoryBytes ?? directoryBytes.length, 12);
  tail.writeUInt32LE(end.offset ?? offset, 16);
  tail.writeUInt16LE(end.comment?.length ?? 0, 20);
  return Buffer.concat([...parts, directoryBytes, tail, Buffer.from(end.comment ?? '', 'latin1')]);
}

/** Opens and reads everything; returns the bytes per name, or throws what the code under test throws. */
async function unpack(bytes: Uint8Array, limits = {}): Promise<Record<string, string>> {
  const opened = await openSources(bytes, { limits, expect: 'archive' });
  try {
    const contents = await mapConcurrently(opened.sources, async (source) => Buffer.from(await source.read()));
    return Object.fromEntries(opened.sources.map((source, i) => [source.name, contents[i].toString('latin1')]));
  } finally {
    await opened.close();
  }
}

async function kindOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ArchiveError);
  const failure = error as ArchiveError;
  expect(failure.next, `${failure.kind} names a next step`).toBeTruthy();
  return failure.kind;
}

const text = (value: string) => Buffer.from(value, 'latin1');
const MiB = 1 << 20;

describe('a well-formed zip, however it was made', () => {
  it.each([
    ['deflated', { method: 8 }],
    ['stored', { method: 0 }],
    ['with a data descriptor', { descriptor: true }],
    ['with zip64 sizes', { zip64: true }],
  ])('is read when it is %s', async (_, how) => {
    const zip = craftZip([
      { name: 'a/1.dcm', data: text('first '.repeat(100)), ...how },
      { name: 'a/2.dcm', data: text('second'), ...how },
      { name: 'a/', data: text(''), method: 0 },
    ]);
    expect(await unpack(zip)).toEqual({ 'a/1.dcm': 'first '.repeat(100), 'a/2.dcm': 'second' });
  });

  it('shows two entries of one name as two sources', async () => {
    const opened = await openSources(
      craftZip([
        { name: 'x', data: text('1') },
        { name: 'x', data: text('2') },
      ]),
    );
    expect(opened.sources.map((source) => source.name)).toEqual(['x', 'x']);
    expect(Buffer.from(await opened.sources[1].read()).toString()).toBe('2');
  });

  it('is read with a comment, and with an empty entry', async () => {
    expect(await unpack(craftZip([{ name: 'empty' }], { comment: 'made by hand' }))).toEqual({ empty: '' });
  });

  it('is read with line ends or padding behind it, but not with another archive there', async () => {
    const zip = craftZip([{ name: 'x', data: text('1') }]);
    expect(await unpack(Buffer.concat([zip, text('\r\n\0\0')]))).toEqual({ x: '1' });
    expect(await kindOf(unpack(Buffer.concat([zip, text('more')])))).toBe('truncated');
    expect(await kindOf(unpack(Buffer.concat([zip, craftZip([{ name: 'y', data: text('2') }])])))).toBe('corrupt');
  });

  it('gives the start of an entry without unpacking the rest', async () => {
    const data = text('0123456789'.repeat(100_000));
    for (const method of [0, 8]) {
      const { sources } = await openSources(craftZip([{ name: 'x', data, method }]));
      expect(Buffer.from(await sources[0].prefix(25)).toString()).toBe('0123456789012345678901234');
      expect((await sources[0].prefix(10 * MiB)).length).toBe(data.length);
    }
  });

  it('does not open archives inside the archive', async () => {
    const inner = craftZip([{ name: 'deep', data: text('x') }]);
    const { sources } = await openSources(craftZip([{ name: 'inner.zip', data: inner }]));
    expect(sources).toHaveLength(1);
    expect(Buffer.from(await sources[0].read()).equals(inner)).toBe(true);
  });
});

describe('an archive that lies or attacks', () => {
  it.each<[string, string, () => Uint8Array, object?]>([
    ['no entries', 'empty-archive', () => craftZip([])],
    ['only folders', 'empty-archive', () => craftZip([{ name: 'a/', method: 0 }])],
    ['text', 'not-an-archive', () => text('This is a letter, not an archive.\n'.repeat(40))],
    ['nothing at all', 'not-an-archive', () => new Uint8Array(0)],
    ['a name that climbs', 'unsafe-name', () => craftZip([{ name: '../../etc/passwd', data: text('x') }])],
    ['a name that climbs with backslashes', 'unsafe-name', () => craftZip([{ name: 'a\\..\\..\\b', data: text('x') }])],
    ['an absolute name', 'unsafe-name', () => craftZip([{ name: '/etc/passwd', data: text('x') }])],
    ['a drive letter', 'unsafe-name', () => craftZip([{ name: 'C:\\x', data: text('x') }])],
    ['a NUL in a name', 'unsafe-name', () => craftZip([{ name: 'a\0.dcm', data: text('x') }])],
    ['a password', 'encrypted', () => craftZip([{ name: 'x', data: text('x'), flags: 1 }])],
    ['AES encryption', 'encrypted', () => craftZip([{ name: 'x', data: text('x'), method: 99 }])],
    ['LZMA', 'unsupported-compression', () => craftZip([{ name: 'x', data: text('x'), method: 14 }])],
    [
      'a wrong CRC on a stored entry',
      'crc-mismatch',
      () => craftZip([{ name: 'x', data: text('x'), method: 0, crc: 1 }]),
    ],
    ['a wrong CRC on a deflated entry', 'crc-mismatch', () => craftZip([{ name: 'x', data: text('x'), crc: 1 }])],
    [
      'damaged deflate data',
      'corrupt',
      () => craftZip([{ name: 'x', data: text('xyz'), packed: Buffer.from([7, 7, 7, 7]) }]),
    ],
    [
      'a size forged too small',
      'size-mismatch',
      () => craftZip([{ name: 'x', data: text('x'.repeat(9999)), size: 10 }]),
    ],
    ['a size forged to nothing', 'size-mismatch', () => craftZip([{ name: 'x', data: text('x'.repeat(99)), size: 0 }])],
    ['a size forged too large', 'size-mismatch', () => craftZip([{ name: 'x', data: text('x'), size: 5000 }])],
    [
      'two sizes of a stored entry',
      'size-mismatch',
      () => craftZip([{ name: 'x', data: text('x'), method: 0, size: 2 }]),
    ],
    [
      '4 GB announced, 10 bytes there',
      'entry-too-large',
      () => craftZip([{ name: 'x', data: text('0123456789'), size: 4_000_000_000 }]),
    ],
    [
      'one entry over its limit',
      'entry-too-large',
      () => craftZip([{ name: 'x', data: text('x'.repeat(99)) }]),
      { maxEntryBytes: 98 },
    ],
    [
      'more in all than allowed',
      'total-too-large',
      () =>
        craftZip([
          { name: 'x', data: text('xxx') },
          { name: 'y', data: text('yyy') },
        ]),
      { maxTotalBytes: 5 },
    ],
    [
      'two names for the same bytes',
      'overlapping-entries',
      () =>
        craftZip([
          { name: 'x', data: text('x') },
          { name: 'x', data: text('x'), localOffset: 0, skipLocal: true },
        ]),
    ],
    [
      'an entry that reaches into the next',
      'overlapping-entries',
      () =>
        craftZip([
          { name: 'x', data: text('x'), packedSize: 40 },
          { name: 'y', data: text('y') },
        ]),
    ],
    [
      'an entry that reaches into the directory',
      'overlapping-entries',
      () => craftZip([{ name: 'x', data: text('x'), packedSize: 20 }]),
    ],
    ['a local header with another name', 'corrupt', () => craftZip([{ name: 'x', data: text('x'), localName: 'y' }])],
    [
      'an entry where no header is',
      'corrupt',
      () => craftZip([{ name: 'x', data: text('x'.repeat(500)), method: 0, localOffset: 3, packedSize: 5, size: 5 }]),
    ],
    ['a directory behind its end', 'corrupt', () => craftZip([{ name: 'x', data: text('x') }], { offset: 4_000_000 })],
    ['more entries than fit', 'corrupt', () => craftZip([{ name: 'x', data: text('x') }], { count: 900 })],
    [
      'fewer bytes of directory than entries',
      'corrupt',
      () => craftZip([{ name: 'x', data: text('x') }], { directoryBytes: 20 }),
    ],
  ])('is refused: %s (%s)', async (_, kind, make, limits) => {
    expect(await kindOf(unpack(make(), limits))).toBe(kind);
  });

  it('is refused at any length that a broken upload can leave', async () => {
    const whole = craftZip([
      { name: 'a', data: text('hello') },
      { name: 'b', data: text('x'.repeat(300)), descriptor: true },
    ]);
    for (let length = 0; length < whole.length; length++) {
      const kind = await kindOf(unpack(whole.subarray(0, length)));
      expect(['truncated', 'not-an-archive', 'corrupt'], `cut at ${length}`).toContain(kind);
    }
  });

  it('never crashes when any single byte is changed', async () => {
    const whole = craftZip([
      { name: 'a', data: text('hello hello hello') },
      { name: 'b', data: text('xy'), method: 0 },
    ]);
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] ^= 0x55;
      await unpack(changed).catch((error) => expect(error).toBeInstanceOf(ArchiveError));
    }
  });

  it('puts no uploaded name into a message', async () => {
    const error = await unpack(craftZip([{ name: '../DOE^JANE.dcm', data: text('x') }])).catch((reason) => reason);
    expect(`${error.message} ${error.where} ${error.next}`).not.toContain('DOE');
  });
});

describe('an archive made to exhaust memory', () => {
  const growth = async (work: () => Promise<unknown>) => {
    const before = process.memoryUsage().rss;
    await work();
    return process.memoryUsage().rss - before;
  };
  /** 1 GiB of zeros in about 1 MB, as raw deflate or gzip, without ever holding the GiB. */
  const gibibyte = async (format: 'raw' | 'gzip') => {
    const { createDeflateRaw, createGzip } = await import('node:zlib');
    const { Readable } = await import('node:stream');
    const { buffer } = await import('node:stream/consumers');
    const block = Buffer.alloc(MiB);
    const blocks = Readable.from(Array.from({ length: 1024 }, () => block));
    return buffer(blocks.pipe(format === 'raw' ? createDeflateRaw({ level: 9 }) : createGzip({ level: 9 })));
  };

  it('is refused before it is unpacked when it announces 1 GB from 1 MB', async () => {
    const packed = await gibibyte('raw');
    expect(packed.length).toBeLessThan(1.1 * MiB);
    const zip = craftZip([{ name: 'x', packed, size: 1024 * MiB }]);
    expect(await growth(async () => expect(await kindOf(unpack(zip))).toBe('ratio-exceeded'))).toBeLessThan(64 * MiB);
  });

  it('is stopped at the announced size when it hides 1 GB', async () => {
    const zip = craftZip([{ name: 'x', packed: await gibibyte('raw'), size: 1000 }]);
    expect(await growth(async () => expect(await kindOf(unpack(zip))).toBe('size-mismatch'))).toBeLessThan(64 * MiB);
    const { sources } = await openSources(zip);
    expect(await growth(() => sources[0].prefix(1000))).toBeLessThan(64 * MiB);
  });

  it('is refused as gzip of 1 GB in 1 MB, with a true and with a forged size', async () => {
    const bomb = await gibibyte('gzip');
    expect(await growth(async () => expect(await kindOf(openSources(bomb))).toBe('ratio-exceeded'))).toBeLessThan(
      64 * MiB,
    );
    bomb.writeUInt32LE(5, bomb.length - 4);
    const limits = { ratioFloorBytes: 32 * MiB, maxRatio: 10 };
    expect(
      await growth(async () => expect(await kindOf(openSources(bomb, { limits }))).toBe('ratio-exceeded')),
    ).toBeLessThan(160 * MiB);
  });

  it('is refused at once with 100,000 entries', async () => {
    const entries = Array.from({ length: 65_000 }, (_, i) => ({ name: `f${i}`, data: text('x'), method: 0 }));
    const zip = craftZip(entries);
    const started = performance.now();
    expect(await kindOf(unpack(zip))).toBe('too-many-entries');
    // 100,000 need zip64's counter: an end record and its locator before the plain end.
    const end64 = Buffer.alloc(56 + 20);
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(100_000n, 32);
    end64.writeBigUInt64LE(BigInt(zip.readUInt32LE(zip.length - 10)), 40);
    end64.writeBigUInt64LE(BigInt(zip.readUInt32LE(zip.length - 6)), 48);
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeBigUInt64LE(BigInt(zip.length - 22), 64);
    expect(await kindOf(unpack(Buffer.concat([zip.subarray(0, -22), end64, zip.subarray(-22)])))).toBe(
      'too-many-entries',
    );
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('leaves memory flat after 2,000 malformed archives', async () => {
    const zip = craftZip([{ name: 'x', data: text('x'.repeat(50_000)), crc: 1 }]);
    for (let i = 0; i < 200; i++) await kindOf(unpack(zip));
    const grown = await growth(async () => {
      for (let i = 0; i < 2000; i++) await kindOf(unpack(zip));
    });
    expect(grown).toBeLessThan(96 * MiB);
  });

  it('is refused as tar.gz that grows without end, and the spool is gone', async () => {
    const header = Buffer.alloc(512);
    header.write('x.dcm', 0);
    header.write('10000000000\0', 124);
    header[156] = 0x30;
    let sum = 256;
    for (const [i, byte] of header.entries()) sum += i >= 148 && i < 156 ? 0 : byte;
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const bomb = gzipSync(Buffer.concat([header, Buffer.alloc(64 * MiB)]));
    const usual = process.env.TMPDIR;
    const temporary = mkdtempSync(join(tmpdir(), 'spool-test-'));
    process.env.TMPDIR = temporary;
    try {
      const limits = { ratioFloorBytes: MiB, maxRatio: 20 };
      expect(await kindOf(openSources(bomb, { limits }))).toBe('ratio-exceeded');
      expect(await kindOf(openSources(bomb))).toBe('truncated');
      expect(readdirSync(temporary)).toEqual([]);
      process.env.TMPDIR = join(temporary, 'missing');
      expect(await kindOf(openSources(bomb))).toBe('spool-failed');
    } finally {
      process.env.TMPDIR = usual ?? '';
      if (usual === undefined) delete process.env.TMPDIR;
      rmSync(temporary, { recursive: true });
    }
  });
});
