/** `isocenter doctor`: what this machine and this installation can do, each line with what to do when it is red. */
import { constants } from 'node:fs';
import { access, mkdtemp, rm, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { exitCodes } from '../exit-codes.js';
import { table } from '../output/table.js';
import { type CommandContext, productVersion } from '../program.js';

interface Check {
  readonly name: string;
  readonly state: 'good' | 'warning' | 'bad';
  readonly found: string;
  readonly next?: string;
}

const GIB = 2 ** 30;
/** Below this a 512 × 512 × 200 study with a network gets tight. */
const LOW_MEMORY_BYTES = 4 * GIB;
const LOW_DISK_BYTES = 2 * GIB;
const NEEDED_NODE = [20, 19] as const;

export async function doctorCommand(_: { json?: boolean }, { terminal }: CommandContext): Promise<number> {
  const checks: Check[] = [];
  for (const check of [node, memory, temporaryFolder, codecs, onnxRuntime, models, selfTest]) {
    try {
      checks.push(await check());
    } catch (error) {
      checks.push({
        name: check.name,
        state: 'bad',
        found: (error as Error).message,
        next: 'Run `npm ci` again; if it stays, please report it.',
      });
    }
  }
  terminal.print(`Isocenter ${productVersion}\n`);
  terminal.print(
    table(
      ['check', 'state', 'found'],
      checks.map(({ name, state, found }) => [name, state, found]),
    ),
  );
  for (const { name, next } of checks.filter(({ state }) => state !== 'good'))
    if (next) terminal.print(`\n${name}: ${next}`);
  terminal.document({ version: productVersion, checks });
  return checks.some(({ state }) => state === 'bad') ? exitCodes.defect : exitCodes.ok;
}

async function node(): Promise<Check> {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const good = major > NEEDED_NODE[0] || (major === NEEDED_NODE[0] && minor >= NEEDED_NODE[1]);
  return {
    name: 'Node',
    state: good ? 'good' : 'bad',
    found: `${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} cores`,
    next: `Install Node ${NEEDED_NODE.join('.')} or newer.`,
  };
}

async function memory(): Promise<Check> {
  const limit = process.constrainedMemory?.() ?? 0;
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  return {
    name: 'memory',
    state: total < LOW_MEMORY_BYTES ? 'warning' : 'good',
    found: `${(total / GIB).toFixed(1)} GB, ${(freemem() / GIB).toFixed(1)} GB free`,
    next: 'Large studies may be refused; --memory sets the limit of the compute process.',
  };
}

async function temporaryFolder(): Promise<Check> {
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-doctor-'));
  await access(folder, constants.W_OK);
  const { bavail, bsize } = await statfs(folder);
  await rm(folder, { recursive: true });
  return {
    name: 'temporary folder',
    state: bavail * bsize < LOW_DISK_BYTES ? 'warning' : 'good',
    found: `${tmpdir()}, ${((bavail * bsize) / GIB).toFixed(1)} GB free`,
    next: 'Free some space, or set TMPDIR to a larger disk.',
  };
}

async function codecs(): Promise<Check> {
  const { supportedTransferSyntaxes } = await import('@isocenter/dicom');
  const all = [...supportedTransferSyntaxes.values()];
  const readable = all.filter(({ decode }) => decode).length;
  const writable = all.filter(({ encode }) => encode).length;
  return {
    name: 'transfer syntaxes',
    state: readable > 0 && writable > 0 ? 'good' : 'bad',
    found: `${readable} can be read, ${writable} written`,
    next: 'Run `npm ci` again; if it stays, please report it.',
  };
}

async function onnxRuntime(): Promise<Check> {
  const { onnxRuntimeVersion } = await import('@isocenter/engine');
  return { name: 'ONNX Runtime', state: 'good', found: await onnxRuntimeVersion() };
}

async function models(): Promise<Check> {
  const { listModels } = await import('@isocenter/engine');
  const found = await listModels();
  return {
    name: 'models',
    state: found.length > 0 ? 'good' : 'bad',
    found: found.map(({ name, version }) => `${name}:${version}`).join(', ') || 'none',
    next: 'The models folder of the installation is missing; run `npm ci` again.',
  };
}

/** Synthetic patient in, contours out, read back: the way of a real study. */
async function selfTest(): Promise<Check> {
  const { selfTest: run } = await import('@isocenter/engine');
  const { exact, seconds } = await run();
  return {
    name: 'self-test',
    state: exact ? 'good' : 'bad',
    found: exact
      ? `phantom segmented and proven in ${seconds.toFixed(1)} s`
      : 'the RTSTRUCT does not read back exactly',
    next: 'Do not use this installation; please report it.',
  };
}
