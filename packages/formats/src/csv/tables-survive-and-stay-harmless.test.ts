/** CSV: what is written comes back, Python's csv agrees, and no cell can become a formula. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWithData, describeWithPython } from '../../../../tools/test/needs.js';
import { readCsv, readCsvRecords } from './read-csv.js';
import { writeCsv } from './write-csv.js';

const awkward = [
  ['structure', 'volume', 'note'],
  ['lung, left', '2.5', 'said "fine"'],
  ['two\r\nlines', '', ' spaces '],
  ['', '', ''],
  ['ünïcode 肺', '0', '""'],
];

describe('a table', () => {
  it('comes back as it was written, whatever its cells hold', () => {
    expect(readCsv(writeCsv(awkward))).toEqual(awkward);
    expect(readCsv(Buffer.from(writeCsv(awkward)))).toEqual(awkward);
    expect(readCsv(writeCsv([[''], ['x'], ['']]))).toEqual([[''], ['x'], ['']]);
  });

  it('comes back for a thousand random tables of awkward characters', () => {
    let state = 1;
    const next = (n: number) => {
      state = (state * 48271) % 2147483647;
      return state % n;
    };
    const cell = () => Array.from({ length: next(5) }, () => 'a",\n\r; é'[next(8)]).join('');
    for (let run = 0; run < 1000; run++) {
      const width = 1 + next(4);
      const rows = Array.from({ length: 1 + next(4) }, () => Array.from({ length: width }, cell));
      expect(readCsv(writeCsv(rows, { neutralise: false }))).toEqual(rows);
    }
  });

  it('is read with every kind of line end, a BOM, blank lines, and tabs', () => {
    for (const end of ['\n', '\r\n', '\r'])
      expect(readCsv(`\ufeffa,b${end}${end}1,${end}"x",y`)).toEqual([
        ['a', 'b'],
        ['1', ''],
        ['x', 'y'],
      ]);
    expect(readCsv('a\tb\n1\t2\n', { separator: '\t' })).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
    expect(readCsv('a,')).toEqual([['a', '']]);
    expect(readCsv('')).toEqual([]);
  });

  it('gives records by the names of its first row', () => {
    expect(readCsvRecords('name,__proto__\nx,1\n')).toEqual([
      Object.fromEntries([
        ['name', 'x'],
        ['__proto__', '1'],
      ]),
    ]);
    expect(() => readCsvRecords('a,b\n1\n')).toThrow(expect.objectContaining({ kind: 'corrupt', where: 'CSV row 2' }));
  });

  it('never lets text become a formula, and leaves numbers alone', () => {
    const text = writeCsv([['=1+1', '+cmd|x', '-2+3', '@SUM(A1)', '\t=1', '-5.5', 'a=b', -3, Number.NaN, null, true]]);
    expect(readCsv(text)[0]).toEqual([
      "'=1+1",
      "'+cmd|x",
      "'-2+3",
      "'@SUM(A1)",
      "'\t=1",
      '-5.5',
      'a=b',
      '-3',
      '',
      '',
      'true',
    ]);
  });

  it('is refused when a quote stays open, when text follows one, and when it is not UTF-8', () => {
    expect(() => readCsv('a,"b')).toThrow(expect.objectContaining({ kind: 'truncated' }));
    expect(() => readCsv('"a"b,c')).toThrow(expect.objectContaining({ kind: 'corrupt' }));
    expect(() => readCsv(Buffer.from([0x61, 0xff, 0xfe]))).toThrow(
      expect.objectContaining({ kind: 'unsupported-encoding' }),
    );
  });
});

describeWithPython(['csv'], 'tables beside Python', (python) => {
  it('are read by csv.reader as they were meant', () => {
    const code =
      'import csv, io, json, sys; print(json.dumps(list(csv.reader(io.StringIO(sys.stdin.read(), newline="")))))';
    const out = execFileSync(python, ['-X', 'utf8', '-c', `import sys; sys.stdin.reconfigure(newline='')\n${code}`], {
      input: writeCsv(awkward),
      encoding: 'utf8',
    });
    expect(JSON.parse(out)).toEqual(awkward);
  });

  describeWithData('mri-hippocampus-msd', 'and real tables', (path) => {
    it('have the cells that csv.reader sees', () => {
      const file = join(path, 'volumes.tsv');
      const out = execFileSync(
        python,
        [
          '-c',
          'import csv, json, sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline=""), delimiter="\\t"))))',
          file,
        ],
        { encoding: 'utf8' },
      );
      expect(readCsv(readFileSync(file), { separator: '\t' })).toEqual(JSON.parse(out));
    });
  });
});
