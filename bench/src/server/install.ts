/**
 * What a user's install takes on the disk. Argument: `clone` (a clone of this repository, `npm ci`, built by it, then without the
 * development tools: `seconds` is both, with a warm npm cache), or `here` (the packages that such an install has, summed up where they
 * are: no network, no time).
 */
import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { benchFolder } from '../peers.js';
import { megabytes, print } from './printed.js';
import { inFolder } from './served.js';

const REPOSITORY = join(benchFolder, '..');
/** What our own code is when it is installed: sources and tests are not part of it. */
const OURS = ['packages', 'models'];
const QUIET = ['--no-audit', '--no-fund', '--prefer-offline'];

const npm = (args: readonly string[], cwd: string) =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

if (process.argv[2] === 'here') report(REPOSITORY);
else
  await inFolder(async (folder) => {
    const clone = join(folder, 'isocenter');
    execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${REPOSITORY}`, clone]);
    const from = performance.now();
    npm(['ci', ...QUIET], clone);
    const installed = performance.now();
    npm(['prune', '--omit=dev', ...QUIET], clone);
    const seconds = (performance.now() - from) / 1000;
    const version = execFileSync(process.execPath, ['packages/cli/bin/isocenter.js', '--version'], { cwd: clone });
    if (!/^\d/.test(version.toString())) throw new Error('what was installed does not run');
    report(clone, seconds, [`npm ci alone ${((installed - from) / 1000).toFixed(0)} s`]);
  });

function report(root: string, seconds?: number, more: readonly string[] = []): void {
  const ls = npm(['ls', '--omit=dev', '--all', '--parseable'], root);
  const folders = new Set(
    ls
      .trim()
      .split('\n')
      .filter((path) => path.includes('node_modules')),
  );
  const outer = [...folders].filter((path) => ![...folders].some((other) => path.startsWith(`${other}/`)));
  const sizes = outer.map((path) => ({
    name: path.slice(path.lastIndexOf('node_modules/') + 13),
    bytes: diskBytes(path),
  }));
  const [largest, second] = [...sizes].sort((a, b) => b.bytes - a.bytes);
  const own = OURS.reduce((sum, name) => sum + diskBytes(join(root, name), ['src', 'node_modules']), 0);
  print({
    ...(seconds === undefined ? {} : { seconds }),
    peakBytes: sizes.reduce((sum, { bytes }) => sum + bytes, own),
    check: null,
    figures: [
      ...more,
      `${sizes.length} packages`,
      `${largest.name} ${megabytes(largest.bytes)}, ${second.name} ${megabytes(second.bytes)}, our own ${megabytes(own)}`,
    ],
  });
}

/** Lengths of the files, links not followed. */
function diskBytes(folder: string, except: readonly string[] = []): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return except.includes(entry.name) ? sum : sum + diskBytes(path, except);
    return entry.isFile() ? sum + lstatSync(path).size : sum;
  }, 0);
}
