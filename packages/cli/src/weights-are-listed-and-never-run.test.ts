/** Promise: `isocenter weights` lists what is in a file of weights, names what it refuses, and runs nothing of it. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { safetensorsChunks, tensorOf, writable, writeSafetensors, writeStateDict } from '@isocenter/graph';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithData } from '../../../tools/test/needs.js';
import { exitCodes } from './exit-codes.js';
import { run, Workplace } from './run-cli.suite.js';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

const weights = [
  writable('conv.weight', tensorOf('float32', [2, 1, 3], [1, 2, 3, 4, 5, 6])),
  writable('conv.bias', tensorOf('float32', [2], [1, 2])),
];

it.each(['pt', 'safetensors'])('a .%s file of ours', async (kind) => {
  const path = place.path(`ours.${kind}`);
  writeFileSync(path, await (kind === 'pt' ? writeStateDict(weights) : writeSafetensors(weights)));
  const ran = await run('weights', path);
  expect(ran.status, ran.all).toBe(exitCodes.ok);
  expect(ran.stdout).toMatch(/^conv\.weight +float32 +2 × 1 × 3 +24$/m);
  expect(ran.stdout).toMatch(/a network would take the whole file: 2 tensors, 8 different numbers$/m);
  const document = JSON.parse((await run('weights', path, '--json')).stdout);
  expect(document.tensors.map((tensor: { name: string }) => tensor.name).sort()).toEqual(['conv.bias', 'conv.weight']);
  expect(document.refused).toEqual([]);
});

it('a pickle that is a program ends with the status of a bad model, and leaves no trace', async () => {
  const mark = place.path('mark');
  const path = place.path('evil.pt');
  const command = Buffer.from(`touch ${mark}`);
  const length = Buffer.of(command.length);
  writeFileSync(
    path,
    Buffer.concat([
      Buffer.from('\x80\x04cposix\nsystem\n\x8c', 'latin1'),
      length,
      command,
      Buffer.from('\x85R.', 'latin1'),
    ]),
  );
  const ran = await run('weights', path);
  expect(ran.status).toBe(exitCodes.model);
  expect(ran.stderr).toContain('posix.system');
  expect(JSON.parse((await run('weights', path, '--json')).stdout).error).toMatchObject({
    class: 'WeightsError',
    kind: 'refused-global',
  });
  expect(existsSync(mark)).toBe(false);
});

it('names that would command the terminal do not', async () => {
  const name = 'a\u202eb';
  const path = place.path('odd.safetensors');
  const chunks: Uint8Array[] = [];
  for await (const chunk of safetensorsChunks([writable(name, tensorOf('uint8', [1], [1]))])) chunks.push(chunk);
  writeFileSync(path, Buffer.concat(chunks));
  const ran = await run('weights', path);
  expect(ran.status, ran.all).toBe(exitCodes.ok);
  expect(ran.stdout).not.toContain('\u202e');
});

it.each<[string, () => string]>([
  ['a folder', () => place.path('folder')],
  ['a file of something else', () => place.path('text.pt')],
  ['an empty file', () => place.path('empty.pt')],
])('%s is no file of weights', async (what, path) => {
  if (what === 'a folder') mkdirSync(path(), { recursive: true });
  else writeFileSync(path(), what === 'an empty file' ? '' : 'once upon a time');
  const ran = await run('weights', path());
  expect(ran.status, ran.all).toBe(exitCodes.model);
  expect(ran.stderr).toContain('Next:');
});

describeWithData('weights-pytorch-unet3d', 'a real checkpoint', (folder) => {
  const file = join(folder, 'whole_images_epoch_5.pth');

  it('says which part a network would take, and what is shared', async () => {
    const { status, stdout } = await run('weights', file);
    expect(status).toBe(exitCodes.ok);
    expect(stdout).toMatch(/a network would take weights: \d+ tensors, \d+ different numbers$/m);
    expect(stdout).toMatch(
      /^weights\.encoder\.encoding_blocks\.0\.conv1\.block\.0\.weight .* weights\.encoder\.encoding_blocks\.0\.conv1\.conv_layer\.weight$/m,
    );
  });

  it('a part that it does not have is an error that names those it has', async () => {
    const ran = await run('weights', file, '--key', 'state_dict');
    expect(ran.status).toBe(exitCodes.model);
    expect(ran.stderr).toContain('weights');
  });
});
