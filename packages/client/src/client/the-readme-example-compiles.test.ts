import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../../../../tools/test/needs.js';

function compile(example: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-readme-'));
  try {
    symlinkSync(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    writeFileSync(join(folder, 'example.ts'), example);
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck'];
    const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, ...options, '--types', 'node', 'example.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const readme = readFileSync(join(repositoryRoot, 'packages/client/README.md'), 'utf8');
const [, example = ''] = /^```ts\n(.*?)^```$/ms.exec(readme) ?? [];

test('the example of the README has no type error', () => {
  expect(example).toContain('createClient');
  expect(compile(example)).toBe('');
});

test('a field that does not exist, and one that is missing, are type errors', () => {
  expect(compile(example.replace("format: 'rtstruct'", "format: 'exe'"))).toContain('TS2322');
  expect(compile(example.replace("['rtstruct', 'seg']", "['rtstruct', 'exe']"))).toContain('TS2322');
  expect(compile(example.replace("model: 'ct-basic',", ''))).toContain('TS2741');
});
