/**
 * Promise: a model that cannot be used is refused in words about the model; a run that is cancelled, killed or beyond its
 * limits ends with its own status, and neither results, nor temporary files, nor processes are left.
 */
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWithData, repositoryRoot } from '../../../tools/test/needs.js';
import { exitCodes } from './exit-codes.js';
import { childrenOf, eventually, type Ran, run, spawnCli, Workplace } from './run-cli.suite.js';
import { PLANTED, study, zip } from './studies.suite.js';

let place: Workplace;
let before: string[];
beforeEach(() => {
  place = new Workplace();
});
afterEach(() => place.remove());

function put(name: string, bytes: Uint8Array | string): string {
  const path = place.path(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

function expectNothing(ran: Ran, status: number, ...says: RegExp[]): void {
  expect(ran.status, ran.all).toBe(status);
  for (const words of says) expect(ran.all).toMatch(words);
  expect(ran.all).not.toMatch(/^\s+at /m);
  expect(ran.all).not.toContain('defect of Isocenter');
  expect(ran.all).not.toContain('PLANTED');
  expect(place.since(before), 'left behind').toEqual([]);
}

interface Channel {
  readonly name: string;
  readonly modalities: readonly string[];
}

/** A bundle folder around the model that needs no weights. */
function tinyBundle(channels: readonly Channel[]): string {
  const data = { type: 'image', format: 'magnitude', num_channels: channels.length };
  const metadata = {
    version: '1.0',
    network_data_format: { inputs: { image: data }, outputs: { pred: data } },
    isocenter: {
      name: 'tiny',
      channels,
      structures: [{ label: 1, name: 'SpinalCord', colour: [255, 0, 0] }],
    },
  };
  put('tiny/configs/metadata.json', JSON.stringify(metadata));
  put('tiny/configs/inference.json', JSON.stringify({ network_def: { _target_: 'isocenter.PassThroughModel' } }));
  return place.path('tiny');
}

async function segmentWith(model: string, ...more: string[]): Promise<Ran> {
  const input = put(`${PLANTED}.zip`, await zip(await study()));
  before = place.everything();
  return run('segment', input, '--model', model, '--out', place.path('out'), ...more);
}

describe('a model that does not fit or does not exist', () => {
  it('unknown: says which are known', async () => {
    expectNothing(await segmentWith('lung-magic'), exitCodes.model, /no model lung-magic/, /Next: .*ct-basic/);
  });

  it('unknown version: says which there are', async () => {
    expectNothing(await segmentWith('ct-basic:99'), exitCodes.model, /ct-basic:99/, /ct-basic:1/);
  });

  it('a name like a path, or nothing', async () => {
    expectNothing(await segmentWith('../../../no/such'), exitCodes.model, /no model/);
    expectNothing(await segmentWith('/etc/passwd'), exitCodes.model, /model is a file/, /Next: Give the folder/);
    expectNothing(await segmentWith(''), exitCodes.usage, /--model/);
  });

  it('a folder that is no bundle', async () => {
    mkdirSync(place.path('not-a-bundle'));
    const ran = await segmentWith(place.path('not-a-bundle'));
    expectNothing(ran, exitCodes.model, /no configs\/metadata\.json/, /Next: /);
  });

  it('a zip that is no bundle', async () => {
    const ran = await segmentWith(put('bundle.zip', await zip([{ name: 'a', bytes: new Uint8Array(5) }])));
    expectNothing(ran, exitCodes.model, /metadata\.json/, /Next: /);
  });

  it('needing MR, given CT', async () => {
    const ran = await segmentWith(tinyBundle([{ name: 'T1', modalities: ['MR'] }]));
    expectNothing(ran, exitCodes.input, /needs MR and the study holds CT/, /channel T1/, /Next: Give a MR series/);
  });

  const two = [
    { name: 'T1', modalities: ['CT', 'MR'] },
    { name: 'FLAIR', modalities: ['CT', 'MR'] },
  ];

  it('of two channels, given files in folders of other names', async () => {
    const files = [...(await study()), ...(await study({ seed: '2' })).map((f) => ({ ...f, name: `b/${f.name}` }))];
    const input = put('study.zip', await zip(files));
    const model = tinyBundle(two);
    before = place.everything();
    const ran = await run('segment', input, '--model', model, '--out', place.path('out'));
    expectNothing(ran, exitCodes.input, /needs the channels T1, FLAIR/, /2 folders of other names/, /Next: .*T1\/…/);
  });

  it('and a series named for a channel that it has not', async () => {
    const ran = await segmentWith('ct-basic', '--series', 'flair=1');
    expectNothing(ran, exitCodes.input, /'flair', a channel the model has not/, /Next: Channels of ct-basic/);
  });

  it('of two channels, and one series named', async () => {
    const ran = await segmentWith(tinyBundle(two), '--series', '1');
    expectNothing(ran, exitCodes.input, /takes several/, /Next: Name a series for each/);
  });
});

describe('Ctrl-C', () => {
  it('ends with 130, and nothing is left', async () => {
    const input = put('study.zip', await zip(await study({ size: [192, 192, 40], spacing: [2, 2, 6] })));
    before = place.everything();
    const args = ['segment', input, '--model', 'ct-basic', '--out', place.path('out')];
    const ran = await spawnCli(args, async (child) => {
      await eventually(() => place.since(before).find((path) => path.endsWith('.part')));
      child.kill('SIGINT');
    });
    expectNothing(ran, exitCodes.cancelled, /^Cancelled\. Nothing was written\.\n$/);
  });
});

describeWithData('models-meshnet', 'a network that runs in a process of its own', (data) => {
  const commandLine = (...more: string[]) => {
    const model = place.path('meshnet');
    mkdirSync(join(model, 'models'), { recursive: true });
    const example = join(repositoryRoot, 'examples/bundles/meshnet/model30chan18cls/configs');
    cpSync(example, join(model, 'configs'), { recursive: true });
    copyFileSync(join(data, 'onnx/model30chan18cls.onnx'), join(model, 'models/model.onnx'));
    before = place.everything();
    return ['segment', join(data, 't1_crop.nii.gz'), '--model', model, '--out', place.path('out'), ...more];
  };
  const atWork = ({ pid }: { pid?: number }) => eventually(() => childrenOf(pid ?? 0)[0]);
  const isGone = (pid: number) => {
    try {
      process.kill(pid, 0);
      return undefined;
    } catch {
      return true;
    }
  };

  it('killed in mid-run: status 7, said as such', async () => {
    const ran = await spawnCli(commandLine(), async (child) => {
      const pid = await atWork(child);
      await new Promise((resolve) => setTimeout(resolve, 700));
      process.kill(pid, 'SIGKILL');
    });
    expectNothing(ran, exitCodes.resources, /ended by SIGKILL/, /Next: .*memory/);
  });

  it('cancelled by Ctrl-C or SIGTERM in mid-run: status 130, and the process is gone', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      let pid = 0;
      const ran = await spawnCli(commandLine(), async (child) => {
        pid = await atWork(child);
        await new Promise((resolve) => setTimeout(resolve, 700));
        child.kill(signal);
      });
      expectNothing(ran, exitCodes.cancelled, /cancelled/i);
      expect(await eventually(() => isGone(pid))).toBe(true);
    }
  });

  it('beyond its time: status 7, with the option that raises the limit', async () => {
    const ran = await spawnCli(commandLine('--time', '0.5'));
    expectNothing(ran, exitCodes.resources, /longer than its limit of 0\.5 s|500 ms/, /--time/);
  });

  it('beyond its memory: refused before it starts, or ended', async () => {
    for (const megabytes of ['50', '300'])
      expectNothing(
        await spawnCli(commandLine('--memory', megabytes)),
        exitCodes.resources,
        /MB/,
        /--memory|memory limit/,
      );
  });

  it('a time limit of years is no limit of a millisecond', async () => {
    const ran = await spawnCli(commandLine('--time', '1e9'), async (child) => {
      await atWork(child);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      child.kill('SIGINT');
    });
    expectNothing(ran, exitCodes.cancelled);
  });

  it('a temporary folder that is not there: said as such, not as a defect', async () => {
    const args = commandLine();
    const usual = process.env.TMPDIR;
    process.env.TMPDIR = place.path('no-such-folder');
    const ran = await spawnCli(args);
    process.env.TMPDIR = usual;
    expectNothing(ran, exitCodes.resources, /temporary folder/, /ENOENT/, /Next: .*TMPDIR/);
  });

  it('more threads than any machine has: refused as a wrong option', async () => {
    const ran = await spawnCli(commandLine('--threads', '1e15'));
    expectNothing(ran, exitCodes.usage, /--threads/);
  });
});
