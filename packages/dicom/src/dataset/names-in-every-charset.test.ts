/** Promise: names and texts in every character set of the standard are read right, and written as UTF-8. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWithData, describeWithPython } from '../../../../tools/test/needs.js';
import { decodeText } from './charset.js';
import { Dataset } from './dataset.js';
import { parseDicom } from './parse.js';
import { writeDicom } from './serialize.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

/** Expected by the text of FileInfo.txt, written here as Unicode. */
const NAMES: Readonly<Record<string, string>> = {
  'chrArab.dcm': 'قباني^لنزار',
  'chrFren.dcm': 'Buc^Jérôme',
  'chrFrenMulti.dcm': 'Buc^Jérôme',
  'chrGerm.dcm': 'Äneas^Rüdiger',
  'chrGreek.dcm': 'Διονυσιος',
  'chrH31.dcm': 'Yamada^Tarou=山田^太郎=やまだ^たろう',
  'chrH32.dcm': 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
  'chrHbrw.dcm': 'שרון^דבורה',
  'chrI2.dcm': 'Hong^Gildong=洪^吉洞=홍^길동',
  'chrRuss.dcm': 'Люкceмбypг',
  'chrX1.dcm': 'Wang^XiaoDong=王^小東=',
  'chrX2.dcm': 'Wang^XiaoDong=王^小东=',
};

describeWithData('dicom-stress/charsets', 'the names of FileInfo.txt', (folder) => {
  const read = (file: string) => parseDicom(readFileSync(join(folder, file))).dataset;

  for (const [file, name] of Object.entries(NAMES))
    it(file, () => expect(read(file).strings('PatientName')[0]).toBe(name));

  it('several values of one name are decoded each', () => {
    expect(read('chrFrenMulti.dcm').strings('OtherPatientNames')).toEqual(['Buc^Jérôme', 'Buc^Jérôme']);
  });

  it('a sequence item has its own character set', () => {
    const dataset = read('chrSQEncoding.dcm');
    const item = dataset.items('RequestedProcedureCodeSequence')[0];
    expect(item?.string('PatientName')).toBe('ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう');
  });

  it('a sequence item inherits the character set of its data set', () => {
    const dataset = read('chrSQEncoding1.dcm');
    const item = dataset.items('RequestedProcedureCodeSequence')[0];
    expect(item?.string('PatientName')).toBe('ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう');
  });

  it('written again, every name is the same and the file says ISO_IR 192', () => {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.dcm'))) {
      const before = read(file);
      if (!before.string('SOPClassUID')) continue;
      const after = parseDicom(writeDicom(before)).dataset;
      expect(after.strings('PatientName'), file).toEqual(before.strings('PatientName'));
      expect(after.string('SpecificCharacterSet'), file).toBe('ISO_IR 192');
    }
  });

  describeWithPython(['pydicom'], 'pydicom reads the same names', (python) => {
    it('in every file', () => {
      const files = readdirSync(folder).filter((name) => name.endsWith('.dcm'));
      const script = [
        'import sys,json,pydicom',
        'names=lambda d:[str(n) for n in (d.PatientName if isinstance(d.PatientName,pydicom.multival.MultiValue) else [d.PatientName])]',
        'print(json.dumps([names(pydicom.dcmread(f)) if "PatientName" in pydicom.dcmread(f) else [] for f in sys.argv[1:]]))',
      ].join('\n');
      const { stdout } = spawnSync(python, ['-c', script, ...files.map((file) => join(folder, file))], {
        encoding: 'utf8',
      });
      const expected = JSON.parse(stdout) as string[][];
      files.forEach((file, i) => {
        // pydicom leaves out an empty last component group.
        const names = read(file)
          .strings('PatientName')
          .map((name) => name.replace(/=+$/, ''));
        expect(names, file).toEqual(expected[i]);
      });
    });
  });
});

describe('each defined term', () => {
  const cases: readonly [string, readonly string[], string, string][] = [
    ['no character set', [], 'ADAMS^John', 'ADAMS^John'],
    ['Latin-2', ['ISO_IR 101'], '\xa3\xf3d\xbc', 'ŁódŹ'.replace('Ź', 'ź')],
    ['Latin-3', ['ISO_IR 109'], '\xa6\xfe', 'Ĥŝ'],
    ['Latin-4', ['ISO_IR 110'], '\xa2\xbf', 'ĸŋ'],
    ['Cyrillic', ['ISO_IR 144'], '\xbf\xd5\xe2\xe0', 'Петр'],
    ['Arabic', ['ISO_IR 127'], '\xe4\xe2', 'لق'],
    ['Greek', ['ISO_IR 126'], '\xc1\xe9', 'Αι'],
    ['Hebrew', ['ISO_IR 138'], '\xe0\xfa', 'את'],
    ['Latin-5', ['ISO_IR 148'], '\xd0\xfd\xfe\xe7', 'Ğışç'],
    ['Latin-9', ['ISO_IR 203'], '\xa4', '€'],
    ['Thai', ['ISO_IR 166'], '\xca\xc7\xd1\xca\xb4\xd5', 'สวัสดี'],
    ['katakana', ['ISO_IR 13'], '\xd4\xcf', 'ﾔﾏ'],
    ['UTF-8', ['ISO_IR 192'], '\xe7\x8e\x8b', '王'],
    ['GB18030', ['GB18030'], '\xcd\xf5\x81\x39\xee\x39', '王㐀'],
    ['GBK', ['GBK'], '\xcd\xf5', '王'],
    ['GB2312 by escape', ['', 'ISO 2022 IR 58'], 'Zhang=\x1b$)A\xd5\xc5', 'Zhang=张'],
    ['JIS X 0212 by escape', ['', 'ISO 2022 IR 159'], '\x1b$(D\x30\x21\x1b(B', '丂'],
    ['Latin-1 and Cyrillic by escapes', ['ISO 2022 IR 100', 'ISO 2022 IR 144'], '\xe9\x1b-L\xbf^\xe9', 'éП^é'],
    ['escapes without a second term', ['ISO_IR 100'], '\x1b$B;3\x1b(B', '山'],
    ['a backslash as second byte of GBK is no delimiter', ['GBK'], '\x81\x5c', '乗'],
    ['a misspelled term', ['iso-ir 100'], '\xe9', 'é'],
  ];
  for (const [title, terms, raw, expected] of cases)
    it(title, () => expect(decodeText(bytes(raw), terms, true)).toBe(expected));

  it('unknown terms and undecodable bytes are reported, not thrown', () => {
    const seen: string[] = [];
    expect(decodeText(bytes('\xff\xfe'), ['ISO_IR 192'], false, (issue) => seen.push(issue))).toContain('\ufffd');
    expect(decodeText(bytes('\xe9'), ['KLINGON'], false, (issue) => seen.push(issue))).toBe('é');
    expect(seen).toEqual(['undecodable-text', 'unknown-charset']);
  });

  it('an escape that nobody defined, or cut off at the end, does not hang or throw', () => {
    for (const raw of ['\x1b', 'A\x1b', '\x1b$', '\x1b$(', '\x1b!!', '\x1b$B;', '\x1b$B;3\x1b', '\x1b$B\x1b$B\x1b'])
      expect(typeof decodeText(bytes(raw), ['', 'ISO 2022 IR 87'], true)).toBe('string');
  });

  it('a trail byte 5C of a two-byte set does not split values', () => {
    const dataset = new Dataset({ charset: ['GBK'] }).set('PatientComments', bytes('\x81\x5c'), 'LT');
    expect(dataset.strings('PatientComments')).toEqual(['乗']);
  });
});
