/** Promise: what is written is read back the same, by us, by DCMTK and by pydicom, and breaks no rule of PS3.5. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWithData, describeWithPrograms, describeWithPython } from '../../../../tools/test/needs.js';
import { Dataset } from './dataset.js';
import { parseDataset, parseDicom } from './parse.js';
import { writeDataset, writeDicom } from './serialize.js';
import { isPrivateTag, keywordOf, tagOf } from './tag.js';
import { newUID, uidFrom } from './uid.js';
import { formatDecimal } from './value-write.js';

const SYNTAXES = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99'];

function sample(): Dataset {
  return new Dataset()
    .set('SOPInstanceUID', '1.2.3.4')
    .set('SOPClassUID', '1.2.840.10008.5.1.4.1.1.481.3')
    .set('PatientName', 'Yamada^Tarou=山田^太郎')
    .set('PatientID', 'A')
    .set('ImageType', ['DERIVED', 'PRIMARY'])
    .set('SliceThickness', 2.5)
    .set('PixelSpacing', [0.9765625, 1 / 3])
    .set('Rows', 512)
    .set('SmallestImagePixelValue', -3, 'SS')
    .set('FrameIncrementPointer', [0x00181063])
    .set('GridFrameOffsetVector', [])
    .set('StudyDescription', undefined)
    .set(0x00091010, 'x', 'LO')
    .set('ROIContourSequence', [
      new Dataset().set('ROIDisplayColor', [255, 0, 0]).set('ContourSequence', [
        new Dataset().set(
          'ContourData',
          Array.from({ length: 9000 }, (_, i) => i / 7),
        ),
        new Dataset(),
      ]),
    ])
    .set('PixelValueTransformationSequence', []);
}

describe('write and read back', () => {
  for (const transferSyntaxUID of SYNTAXES)
    for (const lengths of ['defined', 'undefined'] as const)
      it(`${transferSyntaxUID} with ${lengths} lengths`, () => {
        const file = writeDicom(sample(), { transferSyntaxUID, lengths });
        const { dataset, tolerances, meta } = parseDicom(file);
        expect(tolerances).toEqual([]);
        expect(meta.string('TransferSyntaxUID')).toBe(transferSyntaxUID);
        expect(dataset.string('PatientName')).toBe('Yamada^Tarou=山田^太郎');
        expect(dataset.string('SpecificCharacterSet')).toBe('ISO_IR 192');
        expect(dataset.numbers('PixelSpacing')).toEqual([0.9765625, 0.33333333333333]);
        expect(dataset.number('Rows')).toBe(512);
        expect(dataset.number('SmallestImagePixelValue')).toBe(transferSyntaxUID === SYNTAXES[0] ? 65533 : -3);
        expect(dataset.numbers('FrameIncrementPointer')).toEqual([0x00181063]);
        expect(dataset.has('StudyDescription')).toBe(true);
        expect(dataset.strings('StudyDescription')).toEqual([]);
        expect(dataset.items('PixelValueTransformationSequence')).toEqual([]);
        const contours = dataset.items('ROIContourSequence')[0]?.items('ContourSequence');
        expect(contours?.length).toBe(2);
        const points = contours?.[0]?.decimals('ContourData');
        expect(points?.length).toBe(9000);
        expect(points?.[8999]).toBe(Number(formatDecimal(8999 / 7)));
        expect([...dataset.elements.keys()]).toEqual([...dataset.elements.keys()].sort((a, b) => a - b));
      });

  it('a DS of more than 65,534 bytes goes as UN in explicit VR (PS3.5 6.2.2) and is still read as numbers', () => {
    const { dataset } = parseDicom(writeDicom(sample()));
    const contour = dataset.items('ROIContourSequence')[0]?.items('ContourSequence')[0];
    expect(contour?.element('ContourData')?.vr).toBe('UN');
    expect(contour?.numbers('ContourData')[7]).toBe(1);
  });

  it('ASCII only: no character set is added', () => {
    const dataset = new Dataset().set('SOPClassUID', '1.2').set('SOPInstanceUID', '1.3').set('PatientName', 'A^B');
    expect(parseDicom(writeDicom(dataset)).dataset.has('SpecificCharacterSet')).toBe(false);
  });

  it('a bare data set as on the network', () => {
    const bytes = writeDataset(sample(), { transferSyntaxUID: SYNTAXES[0] as string });
    expect(parseDataset(bytes, SYNTAXES[0] as string).dataset.string('PatientID')).toBe('A');
  });

  it('the same data set gives the same bytes', () => {
    expect(writeDicom(sample())).toEqual(writeDicom(sample()));
  });

  it('copies survive another byte order and character set', () => {
    const big = parseDicom(writeDicom(sample(), { transferSyntaxUID: '1.2.840.10008.1.2.2' })).dataset;
    const copy = new Dataset().copyFrom(big, ['Rows', 'PatientName', 'ROIContourSequence', 'StudyID']);
    expect(copy.number('Rows')).toBe(512);
    expect(copy.string('PatientName')).toBe('Yamada^Tarou=山田^太郎');
    expect(copy.items('ROIContourSequence')[0]?.numbers('ROIDisplayColor')).toEqual([255, 0, 0]);
    expect(copy.has('StudyID')).toBe(false);
  });
});

describe('strict when writing', () => {
  const refused: readonly [string, () => Dataset][] = [
    ['CS with lower case', () => new Dataset().set('Modality', 'ct')],
    ['a UID with a leading zero', () => new Dataset().set('SOPInstanceUID', '1.02')],
    ['a UID of 65 characters', () => new Dataset().set('SOPInstanceUID', `1.${'2'.repeat(63)}`)],
    ['a date that is none', () => new Dataset().set('StudyDate', '20241301')],
    ['a time that is none', () => new Dataset().set('StudyTime', '25')],
    ['LO of 65 characters', () => new Dataset().set('StudyDescription', 'x'.repeat(65))],
    ['a backslash inside a value', () => new Dataset().set('StudyDescription', 'a\\b')],
    ['a line end in a short text', () => new Dataset().set('StudyDescription', 'a\nb')],
    ['US above 65535', () => new Dataset().set('Rows', 65536)],
    ['US with a fraction', () => new Dataset().set('Rows', 1.5)],
    ['DS that is not finite', () => new Dataset().set('SliceThickness', Number.NaN)],
    ['IS with a fraction', () => new Dataset().set('InstanceNumber', 1.5)],
    ['items for a string', () => new Dataset().set('Modality', [new Dataset()])],
    ['a string for a sequence', () => new Dataset().set('ROIContourSequence', 'x')],
    ['a private tag without VR', () => new Dataset().set(0x00091010, 'x')],
    ['four component groups', () => new Dataset().set('PatientName', 'a=b=c=d')],
  ];
  for (const [title, act] of refused)
    it(`refuses ${title}`, () => expect(act).toThrow(expect.objectContaining({ kind: 'invalid-value' })));

  it('a file without SOP Class is refused', () => {
    expect(() => writeDicom(new Dataset())).toThrow(expect.objectContaining({ kind: 'missing-attribute' }));
  });

  it('decimal strings have at most 16 characters and are as near as those allow', () => {
    for (const value of [
      0,
      -0,
      1 / 3,
      -1 / 3,
      1e-7,
      -1.23456789012345e-300,
      123456789012345680,
      0.1 + 0.2,
      -1234.567890123456,
      5e-324,
    ]) {
      const text = formatDecimal(value);
      expect(text.length).toBeLessThanOrEqual(16);
      expect(text).toMatch(/^-?\d+(\.\d+)?(e[+-]?\d+)?$/);
      if (value !== 0) expect(Math.abs(Number(text) / value - 1)).toBeLessThan(1e-8);
    }
  });

  it('numbers read from a DS are those that Number would read', () => {
    const texts = [
      '0',
      '-0.5',
      '+12.25',
      '.5',
      '5.',
      '1e3',
      '-1.5E-2',
      ' 7 ',
      '0.123456789012345678',
      '299792.458',
      '-123.456789',
    ];
    const dataset = new Dataset().set('ContourData', new Uint8Array(Buffer.from(texts.join('\\'))), 'DS');
    expect(dataset.numbers('ContourData')).toEqual(texts.map(Number));
  });

  it('a DS that is no number gives a typed error without the value', () => {
    const dataset = new Dataset().set('PatientWeight', new Uint8Array(Buffer.from('seventy')), 'DS');
    expect(() => dataset.number('PatientWeight')).toThrow(expect.objectContaining({ kind: 'unreadable-value' }));
    expect(() => dataset.number('PatientWeight')).not.toThrow(/seventy/);
  });
});

describe('tags and UIDs', () => {
  it('keywords and tags are inverse, repeating groups included', () => {
    expect(tagOf('PatientName')).toBe(0x00100010);
    expect(keywordOf(0x7fe00010)).toBe('PixelData');
    expect(keywordOf(0x60023000)).toBe('OverlayData');
    expect(tagOf('OverlayData')).toBe(0x60003000);
    expect(keywordOf(0x00091010)).toBeUndefined();
  });

  it('UIDs are under 2.25, valid, and the seeded ones repeat', () => {
    expect(newUID()).toMatch(/^2\.25\.[1-9]\d{0,38}$/);
    expect(newUID()).not.toBe(newUID());
    expect(uidFrom('a')).toBe(uidFrom('a'));
    expect(uidFrom('a')).not.toBe(uidFrom('b'));
    expect(uidFrom('a')).toMatch(/^2\.25\.[1-9]\d{0,38}$/);
  });
});

describeWithPrograms(['dcmdump'], 'other readers', () => {
  it('dcmdump reads every syntax without a word', () => {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-write-'));
    for (const transferSyntaxUID of SYNTAXES) {
      const path = join(folder, 'a.dcm');
      writeFileSync(path, writeDicom(sample(), { transferSyntaxUID }));
      const { status, stderr, stdout } = spawnSync('dcmdump', ['+L', path], { encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toContain('Yamada^Tarou=山田^太郎');
    }
    rmSync(folder, { recursive: true });
  });
});

describeWithPython(['pydicom'], 'pydicom', (python) => {
  it('reads name, spacing and contour points', () => {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-write-'));
    const script =
      'import sys,pydicom\nfor f in sys.argv[1:]:\n d=pydicom.dcmread(f)\n c=d.ROIContourSequence[0].ContourSequence[0]\n print(str(d.PatientName),d.Rows,len(c[0x30060050].value) if c[0x30060050].VR=="DS" else "UN")';
    const paths = SYNTAXES.map((transferSyntaxUID, i) => {
      const path = join(folder, `${i}.dcm`);
      writeFileSync(path, writeDicom(sample(), { transferSyntaxUID }));
      return path;
    });
    const { stdout } = spawnSync(python, ['-c', script, ...paths], { encoding: 'utf8' });
    // pydicom keeps a UN of more than 65,534 bytes as bytes: writers of contours should choose implicit VR.
    expect(stdout.trim().split('\n')).toEqual(
      paths.map((_, i) => `Yamada^Tarou=山田^太郎 512 ${i === 0 ? '9000' : 'UN'}`),
    );
    rmSync(folder, { recursive: true });
  });
});

describeWithData('dicom-stress', 'real files', (root) => {
  it('written again in every native syntax, all values are the same', () => {
    for (const folder of ['rt', 'seg-highdicom', 'charsets'])
      for (const name of readdirSync(join(root, folder)).filter((file) => file.endsWith('.dcm'))) {
        const before = parseDicom(readFileSync(join(root, folder, name))).dataset;
        if (!before.string('SOPClassUID')) continue;
        for (const transferSyntaxUID of SYNTAXES) {
          const after = parseDicom(writeDicom(before, { transferSyntaxUID })).dataset;
          expect(digest(after), `${name} in ${transferSyntaxUID}`).toEqual(digest(before));
        }
      }
  });
});

/** Every value as text, without what writing may change: character set, group lengths, and private VRs in implicit VR. */
function digest(dataset: Dataset): unknown[] {
  return [...dataset.elements.values()]
    .filter((element) => (element.tag & 0xffff) !== 0 && element.tag !== 0x00080005)
    .map((element) => {
      if (element.items) return [element.tag, element.items.map(digest)];
      const binary = element.vr.startsWith('O') || element.vr === 'UN' || isPrivateTag(element.tag);
      return [element.tag, binary ? element.length + (element.length & 1) : dataset.strings(element.tag)];
    });
}
