/**
 * Promise: every command does what its help says, prints a table for people or one JSON document for machines, and ends
 * with the documented status; what strangers wrote into files cannot command the terminal.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDicom } from '@isocenter/dicom';
import { readNifti } from '@isocenter/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCodes } from './exit-codes.js';
import { type Ran, run, spawnCli, Workplace } from './run-cli.suite.js';
import { patched, study, zip } from './studies.suite.js';

let place: Workplace;
let input: string;
let results: string;
beforeAll(async () => {
  place = new Workplace();
  input = place.path('study.zip');
  writeFileSync(input, await zip(await study()));
  results = place.path('results');
  const ran = await run('segment', input, '--model', 'ct-basic', '--out', results);
  expect(ran.status, ran.all).toBe(exitCodes.ok);
});
afterAll(() => place.remove());

let outs = 0;
const newOut = () => place.path(`out-${++outs}`);
const result = (name: string) => `${results}/segmentation.${name}`;

/** Standard output as the one JSON document that it must be. */
function documentOf({ stdout }: Ran) {
  expect(stdout.trim().startsWith('{'), stdout).toBe(true);
  return JSON.parse(stdout);
}

describe('segment', () => {
  it('prints the table, the proofs, the files and the time', async () => {
    const ran = await run('segment', input, '--model', 'ct-basic:1', '--out', newOut()).then((first) =>
      first.status === exitCodes.ok ? first : run('segment', input, '--model', 'ct-basic', '--out', newOut()),
    );
    expect(ran.status, ran.all).toBe(exitCodes.ok);
    for (const words of [
      /^ct-basic:\S+ on 64 × 64 × 8 voxels of 6 × 6 × 30 mm, axes LPS$/m,
      /^structure +voxels +ml +contours +mean HU +proof$/m,
      /^Lung_L .* exact$/m,
      /Proof of RTSTRUCT: every voxel reads back/,
      /segmentation\.rtstruct\.dcm$/m,
      /peak memory \d+ MB/,
    ])
      expect(ran.stdout).toMatch(words);
    expect(ran.stderr).toBe('');
  });

  it('writes exactly the formats that were asked for, whatever their case and order', async () => {
    const ran = await run(
      'segment',
      input,
      '--model',
      'ct-basic',
      '--out',
      newOut(),
      '--format',
      'CSV, nrrd',
      '--json',
    );
    const { kind, files, structures } = documentOf(ran);
    expect(kind).toBe('segment-report');
    expect(files.map((path: string) => basename(path).replace(/^segmentation[.-]?/, '')).sort()).toEqual(
      expect.arrayContaining(['volumes.csv']),
    );
    expect(files.some((path: string) => path.endsWith('.dcm'))).toBe(false);
    for (const path of files) expect(existsSync(path)).toBe(true);
    expect(structures.map(({ name }: { name: string }) => name)).toEqual(['Body', 'Lung_L', 'Lung_R', 'Bone']);
  });

  it('replaces earlier results with --force, and only the results', async () => {
    const out = newOut();
    mkdirSync(out);
    writeFileSync(`${out}/segmentation.volumes.csv`, 'earlier');
    writeFileSync(`${out}/letter.txt`, 'mine');
    const ran = await run('segment', input, '--model', 'ct-basic', '--out', out, '--format', 'csv', '--force');
    expect(ran.status, ran.all).toBe(exitCodes.ok);
    expect(readFileSync(`${out}/segmentation.volumes.csv`, 'utf8')).not.toBe('earlier');
    expect(readFileSync(`${out}/letter.txt`, 'utf8')).toBe('mine');
  });

  it('leaves a damaged file out with --ignore-damaged, and takes the longest run with --longest-run', async () => {
    const files = (await study()).map((file, k) =>
      k === 2 ? { ...file, bytes: file.bytes.subarray(0, file.bytes.length - 100) } : file,
    );
    const damaged = place.path('damaged.zip');
    writeFileSync(damaged, await zip(files));
    const segment = (...more: string[]) =>
      run('segment', damaged, '--model', 'ct-basic', '--out', newOut(), '--format', 'csv', ...more);
    expect((await segment()).all).toMatch(/--ignore-damaged/);
    expect((await segment('--ignore-damaged')).all).toMatch(/1 slice is missing/);
    const ran = await segment('--ignore-damaged', '--longest-run', '--json');
    expect(documentOf(ran).input.size).toEqual([64, 64, 5]);
  });
});

describe('inspect', () => {
  it('lists series, objects and what is no DICOM', async () => {
    const mixed = place.path('mixed.zip');
    const rtstruct = { name: 'rs.dcm', bytes: readFileSync(result('rtstruct.dcm')) };
    writeFileSync(mixed, await zip([...(await study()), rtstruct, { name: 'a.txt', bytes: Buffer.from('x') }]));
    const ran = await run('inspect', mixed, '--model', 'ct-basic');
    expect(ran.status, ran.all).toBe(exitCodes.ok);
    for (const words of [/CT +8 +64 × 64 × 8 /, /RTSTRUCT +rs\.dcm/, /a\.txt: not a DICOM/, /Series 1 was chosen/])
      expect(ran.stdout).toMatch(words);
    const report = documentOf(await run('inspect', mixed, '--json'));
    expect(report).toMatchObject({ kind: 'inspection', origin: 'zip', series: [{ number: 1, usable: true }] });
  });

  it('says why a model takes none, with the status of the input', async () => {
    const ran = await run('inspect', result('rtstruct.dcm'), '--model', 'ct-basic');
    expect(ran.status, ran.all).toBe(exitCodes.input);
    expect(ran.stdout).toMatch(/no image series[\s\S]*Next: Add the images/);
  });
});

describe('convert', () => {
  it('turns a series into NIfTI of its Hounsfield units', async () => {
    const ran = await run('convert', input, '--format', 'nifti', '--out', newOut(), '--json');
    const { files } = documentOf(ran);
    expect(files).toHaveLength(1);
    const { channels } = await readNifti(readFileSync(files[0]));
    expect(channels[0].size).toEqual([64, 64, 8]);
    expect(Math.min(...channels[0].data)).toBeLessThan(-900);
  });

  it('turns RTSTRUCT into masks, masks into SEG, and nothing is lost', async () => {
    const masks = newOut();
    const first = await run(
      'convert',
      result('rtstruct.dcm'),
      '--reference',
      input,
      '--format',
      'nrrd',
      '--out',
      masks,
    );
    expect(first.status, first.all).toBe(exitCodes.ok);
    expect(first.stdout).toMatch(/^Lung_L +\d+ +exact$/m);
    const seg = newOut();
    const second = await run('convert', masks, '--reference', input, '--format', 'seg', '--out', seg, '--json');
    const { files } = documentOf(second);
    const ran = await run('compare', result('seg.dcm'), files[0], '--min-dice', '1', '--json');
    expect(ran.status, ran.all).toBe(exitCodes.ok);
    expect(documentOf(ran).structures).toHaveLength(4);
  });

  it('asks for the images that contours were drawn on', async () => {
    const ran = await run('convert', result('rtstruct.dcm'), '--format', 'nifti', '--out', newOut());
    expect(ran.status, ran.all).toBe(exitCodes.input);
    expect(ran.stderr).toMatch(/no voxels of their own[\s\S]*--reference/);
  });

  it('takes the images from beside structures and masks with --images', async () => {
    const phantom = place.path('phantom.zip');
    const size = ['--columns', '48', '--rows', '48', '--slices', '6', '--spacing', '8,8,40'];
    const made = await run('phantom', '--out', phantom, ...size, '--json');
    expect(documentOf(made).files).toHaveLength(
      6 + documentOf(made).files.filter((f: string) => /^truth/.test(f)).length,
    );
    const refused = await run('convert', phantom, '--format', 'nifti', '--out', newOut());
    expect(refused.status).toBe(exitCodes.input);
    expect(refused.stderr).toMatch(/--images/);
    const ran = await run('convert', phantom, '--format', 'nifti', '--out', newOut(), '--images', '--json');
    expect(documentOf(ran).files).toHaveLength(1);
  });
});

describe('compare', () => {
  it('an RTSTRUCT with the SEG of the same voxels: Dice 1', async () => {
    const ran = await run('compare', result('rtstruct.dcm'), result('seg.dcm'), '--reference', input);
    expect(ran.status, ran.all).toBe(exitCodes.ok);
    expect(ran.stdout).toMatch(/^Lung_L +1\.0000 +0\.00 /m);
  });

  it('ends with 6 below --min-dice, and never with 0 where nothing can be paired', async () => {
    const other = newOut();
    await run('segment', input, '--model', 'PassThroughModel', '--out', other, '--format', 'seg');
    const pair = [result('seg.dcm'), `${other}/segmentation.seg.dcm`, '--min-dice', '0.9'];
    const low = await run('compare', ...pair);
    expect(low.status, low.all).toBe(exitCodes.proof);
    expect(low.stdout).toMatch(/Below Dice 0\.9: .*Lung/);
    const phantom = newOut();
    await run('segment', input, '--model', 'Phantom', '--out', phantom, '--format', 'seg');
    const none = await run('compare', result('seg.dcm'), `${phantom}/segmentation.seg.dcm`, '--min-dice', '0.1');
    expect(none.status, none.all).toBe(exitCodes.input);
    expect(none.stderr).toMatch(/no structure of the same name[\s\S]*--names/);
  });
});

describe('phantom, doctor and demo', () => {
  it('the same options give the same bytes, and what is there is not replaced unasked', async () => {
    const make = (out: string, ...more: string[]) =>
      run(
        'phantom',
        '--out',
        out,
        '--columns',
        '32',
        '--rows',
        '32',
        '--slices',
        '3',
        '--spacing',
        '12,12,80',
        ...more,
      );
    const [first, second] = [place.path('a.zip'), place.path('b.zip')];
    for (const out of [first, second]) expect((await make(out)).status).toBe(exitCodes.ok);
    expect(readFileSync(second).equals(readFileSync(first))).toBe(true);
    const again = await make(first);
    expect(again.status).toBe(exitCodes.usage);
    expect(again.stderr).toMatch(/exists already[\s\S]*--force/);
    expect((await make(first, '--force', '--seed', '2')).status).toBe(exitCodes.ok);
    expect(readFileSync(second).equals(readFileSync(first))).toBe(false);
  });

  it('a transfer syntax by name; one that is not known is answered with those that are', async () => {
    const out = newOut();
    const size = ['--columns', '32', '--rows', '32', '--slices', '3', '--spacing', '12,12,80'];
    expect((await run('phantom', '--out', out, ...size, '--transfer-syntax', 'jpeg-ls lossless')).status).toBe(0);
    const { transferSyntaxUID } = parseDicom(readFileSync(`${out}/images/image-0001.dcm`));
    expect(transferSyntaxUID).toBe('1.2.840.10008.1.2.4.80');
    const ran = await run('phantom', '--out', newOut(), ...size, '--transfer-syntax', 'betamax');
    expect(ran.status).toBe(exitCodes.usage);
    expect(ran.stderr).toMatch(/'betamax' cannot be written[\s\S]*1\.2\.840\.10008\.1\.2\.1 /);
  });

  it('doctor checks what is needed and is content here', async () => {
    const ran = await run('doctor', '--json');
    expect(ran.status, ran.all).toBe(exitCodes.ok);
    const names = documentOf(ran).checks.map(({ name }: { name: string }) => name);
    for (const name of ['Node', 'memory', 'transfer syntaxes', 'ONNX Runtime', 'models', 'self-test'])
      expect(names).toContain(name);
    expect(ran.stdout).toMatch(/[1-9]\d* can be read, [1-9]\d* written/);
  });

  it('demo segments the study that it is given', async () => {
    const out = newOut();
    const ran = await run('demo', input, '--out', out);
    expect(ran.status, ran.all).toBe(exitCodes.ok);
    expect(ran.stdout).toMatch(/^Lung_R .* exact$/m);
    for (const name of ['rtstruct.dcm', 'seg.dcm', 'volumes.csv', 'proof.json'])
      expect(existsSync(`${out}/segmentation.${name}`), name).toBe(true);
  });
});

describe('a wrong command line', () => {
  /** Any file that is there: some mistakes are found before it is opened, none after. */
  const file = fileURLToPath(import.meta.url);
  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown command', ['segmnet'], /unknown command 'segmnet'[\s\S]*segment|--help/],
    ['an unknown option', ['inspect', 'x', '--colour'], /unknown option '--colour'/],
    ['no input', ['inspect'], /missing required argument 'input'/],
    ['no model', ['segment', 'x', '--out', 'y'], /--model/],
    ['an empty output folder', ['segment', 'x', '--model', 'y', '--out', ''], /--out.*It is empty/s],
    [
      'an unknown format',
      ['segment', file, '--model', 'ct-basic', '--out', 'y', '--format', 'pdf'],
      /pdf[\s\S]*rtstruct/,
    ],
    ['formats of nothing', ['segment', 'x', '--model', 'y', '--out', 'z', '--format', ','], /names no format/],
    ['memory below zero', ['segment', 'x', '--model', 'y', '--out', 'z', '--memory', '-1'], /above 0/],
    ['time without end', ['segment', 'x', '--model', 'y', '--out', 'z', '--time', 'Infinity'], /above 0/],
    ['half a thread', ['segment', 'x', '--model', 'y', '--out', 'z', '--threads', '0.5'], /whole number/],
    ['two numbers of a spacing', ['phantom', '--out', 'z', '--spacing', '1,2'], /three numbers/],
    ['a phantom too large', ['phantom', '--out', 'z', '--columns', '9e9'], /size of 9000000000/],
    ['a Dice of 95', ['compare', 'a', 'b', '--min-dice', '95'], /from 0 to 1/],
    ['half a pair of names', ['compare', file, file, '--names', 'lung='], /first=second/],
  ];
  for (const [name, args, says] of wrong)
    it(`${name}: status 2, also as JSON`, async () => {
      const before = place.everything();
      const ran = await run(...args);
      expect(ran.status, ran.all).toBe(exitCodes.usage);
      expect(ran.stderr).toMatch(says);
      expect(ran.stdout).toBe('');
      const asJson = await run(...args, '--json');
      expect(asJson.status).toBe(exitCodes.usage);
      expect(documentOf(asJson).error).toMatchObject({ message: expect.any(String), kind: expect.any(String) });
      expect(place.everything()).toEqual(before);
    });

  it('--help and --version end with 0', async () => {
    for (const args of [['--help'], ['segment', '--help'], ['--version']])
      expect((await run(...args)).status, args.join(' ')).toBe(exitCodes.ok);
  });
});

describe('what strangers wrote', () => {
  /** Escape sequences, a line feed and a right-to-left override in the description and in names. */
  const HOSTILE = Buffer.from('\x1b]0;own\x07\x1b[2J\nfake');

  it('cannot command the terminal, neither as text nor as JSON', async () => {
    const from = Buffer.from('Synthetic thorax');
    const files = (await study()).map(({ bytes }, k) => ({
      name: `\x1b[31m${k}\n`,
      bytes: patched(bytes, from, HOSTILE.subarray(0, from.length)),
    }));
    const path = place.path('hostile.zip');
    writeFileSync(path, await zip([...files, { name: 'a\x1b[2J\u202e\u009bb', bytes: Buffer.from('x') }]));
    const tries = [
      ['inspect', path, '--model', 'ct-basic'],
      ['inspect', path, '--json'],
      ['segment', path, '--model', 'ct-basic', '--out', newOut(), '--format', 'csv'],
      ['segment', path, '--model', '\x1b[31mno', '--out', newOut()],
      ['\x1b[31mno'],
      ['segment', path, '--model', 'ct-basic', '--out', newOut(), '--format', '\x1b[31m'],
    ];
    for (const args of tries) {
      const { all } = await run(...args);
      expect(all.length).toBeGreaterThan(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
      expect(all, args.join(' ')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      expect(all, args.join(' ')).not.toMatch(/^fake/m);
    }
  });

  it('in names of structures neither: table, list and names of files', async () => {
    const rtstruct = place.path('hostile.dcm');
    const name = Buffer.from('../\x1b\nx');
    writeFileSync(rtstruct, patched(readFileSync(result('rtstruct.dcm')), Buffer.from('Lung_L'), name, true));
    const out = newOut();
    const converted = await run('convert', rtstruct, '--reference', input, '--format', 'nifti', '--out', out);
    const compared = await run('compare', rtstruct, result('seg.dcm'), '--reference', input);
    for (const { status, stdout } of [converted, compared]) {
      expect(status).toBe(exitCodes.ok);
      expect(stdout).not.toContain('\x1b');
      expect(stdout).not.toMatch(/^x/m);
    }
    expect(compared.stdout).toContain('Only in the first');
    expect(existsSync(`${out}/Body.nii.gz`)).toBe(true);
    expect(place.everything().filter((path) => /[^\x20-\x7e]/.test(path))).toEqual([]);
  });

  it('is shown as it is in other scripts', async () => {
    const path = place.path('scripts.zip');
    writeFileSync(path, await zip([...(await study()), { name: '肺/Лёгкое.txt', bytes: Buffer.from('x') }]));
    expect((await run('inspect', path)).stdout).toContain('肺/Лёгкое.txt');
  });
});

describe('standard output', () => {
  it('closed by its reader (| head) is no error', async () => {
    const bin = fileURLToPath(new URL('../bin/isocenter.js', import.meta.url));
    const child = spawn(process.execPath, [bin, 'inspect', input, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint += chunk;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(exitCodes.ok);
    expect(complaint).toBe('');
  });

  it('of the built program is the same JSON document, and nothing else', async () => {
    const ran = await spawnCli(['inspect', input, '--json']);
    expect(ran.status).toBe(exitCodes.ok);
    expect(documentOf(ran).kind).toBe('inspection');
    expect(ran.stderr).toBe('');
    const failed = await spawnCli(['inspect', place.path('nowhere'), '--json']);
    expect(failed.status).toBe(exitCodes.input);
    expect(documentOf(failed).error).toMatchObject({ kind: 'not-found', next: expect.any(String) });
  });
});
