/** Uploads that are taken, as upstream takes all, and then turn out to be no study: 400 for a bad zip, 500 for a bad study. */
import { deflateRawSync } from 'node:zlib';
import { type Dataset, parseDicom, writeDicom } from '@isocenter/dicom';
import { makePhantom } from '@isocenter/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Entry,
  entriesOf,
  errorOf,
  type InnerEyeServer,
  innereyeServer,
  phantom,
  zipOf,
} from './innereye.suite.js';

let server: InnerEyeServer;
let good: Buffer;
let slices: readonly Entry[];
beforeAll(async () => {
  server = await innereyeServer({ slots: 2 });
  slices = await phantom();
  good = await zipOf(slices);
});
afterAll(() => server.close());

async function endOf(zip: Uint8Array, model?: string) {
  const answer = await server.ended(await server.start(zip, model));
  return { status: answer.status, ...(answer.status === 200 ? {} : errorOf(answer)) };
}

const patched = (zip: Uint8Array, change: (bytes: Buffer) => void): Buffer => {
  const copy = Buffer.from(zip);
  change(copy);
  return copy;
};
/** Offset of the first record of this kind. */
const record = (zip: Buffer, signature: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(signature);
  return zip.indexOf(bytes);
};
const CENTRAL = 0x02014b50;
const END = 0x06054b50;

/** One stored or deflated entry with whatever sizes and name are claimed. */
function forged(name: string, packed: Buffer, unpackedBytes: number, method: number): Buffer {
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(20, 4);
  local.writeUInt16LE(method, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(unpackedBytes, 22);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(CENTRAL, 0);
  central.writeUInt16LE(20, 6);
  central.writeUInt16LE(method, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt32LE(unpackedBytes, 24);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + name.length, 12);
  end.writeUInt32LE(local.length + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, central, Buffer.from(name), end]);
}

describe('400 InvalidZipFile', () => {
  it.each<[string, () => Uint8Array | Promise<Uint8Array>]>([
    ['text', () => Buffer.from('no zip at all')],
    ['a DICOM file that is not packed', () => slices[0]!.bytes],
    ['a zip cut in half', () => good.subarray(0, good.length >> 1)],
    ['a zip without its last byte', () => good.subarray(0, -1)],
    ['a byte changed inside', () => patched(good, (zip) => zip.writeUInt8((zip[2000] as number) ^ 255, 2000))],
    [
      'a directory that lies about sizes',
      () => patched(good, (zip) => zip.writeUInt32LE(7, record(zip, CENTRAL) + 24)),
    ],
    [
      'a directory that lies about the number',
      () => patched(good, (zip) => zip.writeUInt16LE(900, record(zip, END) + 10)),
    ],
    [
      'an offset out of the file',
      () => patched(good, (zip) => zip.writeUInt32LE(0x7fffffff, record(zip, CENTRAL) + 42)),
    ],
    ['a name that climbs', () => forged('../../etc/passwd', Buffer.from('x'), 1, 0)],
    ['a name from the root', () => forged('/etc/passwd', Buffer.from('x'), 1, 0)],
    [
      'a bomb: 1 GB of zeros in 1 MB',
      () => forged('a', deflateRawSync(Buffer.alloc(1 << 30), { level: 1 }), 1 << 30, 8),
    ],
    ['an entry of 4 GB that is not there', () => forged('a', Buffer.from('x'), 0xfffffffe, 8)],
    ['one part of several', () => patched(good, (zip) => zip.writeUInt16LE(3, record(zip, END) + 4))],
  ])('%s', async (_, make) => {
    expect(await endOf(await make())).toMatchObject({
      status: 400,
      extra_details: 'InvalidZipFile',
      title: 'InvalidInput',
    });
  });
});

describe('500, with the reason', () => {
  const change = (bytes: Uint8Array, edit: (dataset: Dataset) => void) => {
    const { dataset, transferSyntaxUID } = parseDicom(bytes);
    edit(dataset);
    return writeDicom(dataset, { transferSyntaxUID });
  };
  const all = (edit: (dataset: Dataset, n: number) => void) =>
    slices.map(({ name, bytes }, n) => ({ name, bytes: change(bytes, (dataset) => edit(dataset, n)) }));

  it.each<[string, () => Promise<Uint8Array>, RegExp]>([
    ['no image in it', () => zipOf([{ name: 'a.txt', bytes: Buffer.from('Dear colleague') }]), /no images/],
    ['a zip in a zip', () => zipOf([{ name: 'study.zip', bytes: good }]), /no images/],
    [
      'an encrypted zip',
      async () => patched(good, (zip) => zip.writeUInt16LE(1, record(zip, CENTRAL) + 8)),
      /encrypted/,
    ],
    [
      'a slice that is cut short',
      () => zipOf(slices.map(({ name, bytes }, n) => ({ name, bytes: n === 1 ? bytes.subarray(0, -500) : bytes }))),
      /cannot be read/,
    ],
    ['a missing slice', () => zipOf(slices.filter((_, n) => n !== 1)), /cannot be used/],
    ...[0, 1, 3].map((odd): [string, () => Promise<Uint8Array>, RegExp] => [
      `another pixel spacing in slice ${odd}`,
      () => zipOf(all((dataset, n) => void (n === odd && dataset.set('PixelSpacing', [1, 1])))),
      /only a piece|cannot be used/,
    ]),
    ['images without a place', () => zipOf(all((dataset) => dataset.delete('ImagePositionPatient'))), /cannot be used/],
  ])('%s', async (_, make, message) => {
    const end = await endOf(await make());
    expect(end).toMatchObject({
      status: 500,
      code: 'INTERNAL_SERVER_ERROR',
      title: 'InternalError',
      detail: expect.stringMatching(message),
    });
    expect(end).not.toHaveProperty('extra_details');
  });

  it('an MR study for a model of CT', async () => {
    const head = await zipOf(await phantom({ kind: 'head' }));
    expect(await endOf(head, 'ct-basic')).toMatchObject({ status: 500, detail: expect.stringMatching(/needs CT/) });
  });
});

describe('200 all the same', () => {
  it('MR, where the model takes anything', async () => {
    expect(await endOf(await zipOf(await phantom({ kind: 'head' })))).toEqual({ status: 200 });
  });

  it('several series: one is taken, the same each time', async () => {
    const other = await phantom({ seed: '2' });
    const zip = await zipOf([...slices, ...other].map(({ bytes }, n) => ({ name: String(n), bytes })));
    const uids = new Set<string | undefined>();
    for (let n = 0; n < 2; n++) {
      const { body } = await server.ended(await server.start(zip));
      const { dataset } = parseDicom((await entriesOf(body))[0]!.bytes);
      const [frame] = dataset.items('ReferencedFrameOfReferenceSequence');
      const [study] = frame!.items('RTReferencedStudySequence');
      uids.add(study!.items('RTReferencedSeriesSequence')[0]?.string('SeriesInstanceUID'));
    }
    expect(uids.size).toBe(1);
  });

  it.each([
    '1.2.840.10008.1.2',
    '1.2.840.10008.1.2.4.70',
    '1.2.840.10008.1.2.4.80',
    '1.2.840.10008.1.2.5',
    '1.2.840.10008.1.2.4.90',
  ])('slices in the transfer syntax %s', async (transferSyntaxUID) => {
    expect(await endOf(await zipOf(await phantom({ transferSyntaxUID })))).toEqual({ status: 200 });
  });

  it('any order and any names, without endings', async () => {
    const zip = await zipOf([...slices].reverse().map(({ bytes }, n) => ({ name: `x/${(n * 7) % 11}`, bytes })));
    expect(await endOf(zip)).toEqual({ status: 200 });
  });
});

describe('strict', () => {
  it('keeps folders, asks which series is meant, and knows no alias', async () => {
    const strict = await innereyeServer({ flags: { protocols: JSON.stringify({ innereye: { mode: 'strict' } }) } });
    try {
      const folders = slices.map(({ bytes }, n) => ({ name: `${n % 2}/${n >> 1}`, bytes }));
      expect((await strict.ended(await strict.start(await zipOf(folders)))).status).toBe(200);
      const other = (await makePhantom({ size: [32, 32, 4], spacing: [12, 12, 30], seed: '2' })).files;
      const both = await zipOf([...slices, ...other].map(({ bytes }, n) => ({ name: String(n), bytes })));
      const answer = await strict.ended(await strict.start(both));
      expect(answer.status).toBe(500);
      expect(errorOf(answer).detail).toMatch(/fit equally well/);
      expect((await strict.ask('/v1/model/start/PassThroughModel:4', { method: 'POST', body: 'x' })).status).toBe(404);
    } finally {
      await strict.close();
    }
  });
});
