/** References, macros, targets, switches and merging of bundle configurations (specs/monai.md B.2). */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithData, describeWithPython } from '../../../../tools/test/needs.js';
import type { Json } from './bundle.js';
import { Config } from './config/config.js';
import { ConfigError } from './config/config-error.js';
import { mergeConfigs } from './config/merge.js';
import { TargetObject } from './config/values.js';

type Tree = { readonly [key: string]: Json };
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'isocenter-config-'));
  mkdirSync(join(folder, 'configs'));
  writeFileSync(
    join(folder, 'configs/other.json'),
    JSON.stringify({ net: { width: 8, twice: '%width2' }, width2: 16 }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = (tree: Tree) => new Config(tree, folder);
function kindOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.kind;
    throw error;
  }
  return 'none';
}

describe('references', () => {
  it('follow both separators, lists and dictionaries, and are evaluated once', () => {
    const c = config({ a: { b: [1, { c: '$@x + 1' }] }, x: 4, y: '@a::b::1::c', z: '@a#b#0', whole: '@a' });
    expect(c.value('y')).toBe(5);
    expect(c.value('z')).toBe(1);
    expect(c.value('whole')).toBe(c.value('a'));
  });

  it('may be relative: one mark for the same level, one more for each level above', () => {
    const c = config({
      top: 1,
      a: { top: 2, b: { top: 3, same: '@#top', parent: '@##top', root: '@###top', new: '$@::top * 10' } },
    });
    expect([c.value('a::b::same'), c.value('a::b::parent'), c.value('a::b::root'), c.value('a::b::new')]).toEqual([
      3, 2, 1, 30,
    ]);
  });

  it('reach into computed values', () => {
    expect(config({ list: '$[1, 2] + [3]', last: '@list::2' }).value('last')).toBe(3);
  });

  it('in circles, to nothing, or too deep are errors that name the place', () => {
    expect(kindOf(() => config({ a: '@b', b: '$@a + 1' }).value('a'))).toBe('circular-reference');
    expect(kindOf(() => config({ a: { b: '@a' } }).value('a'))).toBe('circular-reference');
    expect(kindOf(() => config({ a: '@nope' }).value('a'))).toBe('unknown-id');
    expect(kindOf(() => config({ a: '@__proto__' }).value('a'))).toBe('unknown-id');
  });

  it('nobody asked for are not looked at', () => {
    expect(config({ a: 1, evil: "$__import__('os')" }).value('a')).toBe(1);
  });
});

describe('targets, switches, macros', () => {
  it('describe objects; notes are dropped; disabled items vanish from lists', () => {
    const c = config({
      off: true,
      list: [
        { _target_: 'A', _desc_: 'note', n: 1 },
        { _target_: 'B', _disabled_: '$@off' },
        { _target_: 'C', _disabled_: 'true' },
        { _target_: 'D', _mode_: 'callable', _disabled_: false },
      ],
      alone: { _target_: 'E', _disabled_: true },
    });
    const list = c.value('list') as TargetObject[];
    expect(list.map(({ target, mode }) => `${target} ${mode}`)).toEqual(['A default', 'D callable']);
    expect(list[0].named).toEqual({ n: 1 });
    expect(c.value('alone')).toBeNull();
  });

  it('requirements must exist and may not be circular', () => {
    expect(kindOf(() => config({ a: { _target_: 'A', _requires_: '@b' } }).value('a'))).toBe('unknown-id');
    expect(config({ a: { _target_: 'A', _requires_: ['@b'] }, b: '$torch.load(1)' }).value('a')).toBeInstanceOf(
      TargetObject,
    );
  });

  it('macros copy raw items, from this file or another one of the bundle', () => {
    const c = config({ w: '$1 + 1', copy: '%w', far: '%other.json::net', old: '%other.json#net#twice' });
    expect(c.value('copy')).toBe(2);
    expect(c.value('far')).toEqual({ width: 8, twice: 16 });
    expect(c.value('old')).toBe(16);
  });

  it('macros stay inside the bundle, end, and do not explode', () => {
    writeFileSync(join(folder, '../isocenter-outside.json'), '{"x": 1}');
    expect(kindOf(() => config({ a: '%../../isocenter-outside.json::x' }))).toBe('macro');
    expect(kindOf(() => config({ a: '%/etc/passwd.json::x' }))).toBe('macro');
    expect(kindOf(() => config({ a: '%b', b: '%a' }))).toBe('macro');
    const bomb: Record<string, Json> = { x0: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1] };
    for (let n = 1; n < 9; n++) bomb[`x${n}`] = Array.from({ length: 10 }, () => `%x${n - 1}`);
    expect(kindOf(() => config(bomb))).toBe('limit');
    rmSync(join(folder, '../isocenter-outside.json'));
  });

  it('imports of known modules do nothing; others are listed', () => {
    expect(
      config({
        imports: ['$import glob', '$import numpy as np', '$from monai.data import decollate_batch'],
      }).refusedImports(),
    ).toEqual([]);
    expect(config({ imports: ['$import scripts', "$__import__('os')"] }).refusedImports()).toEqual([
      '$import scripts',
      "$__import__('os')",
    ]);
  });
});

describe('several configurations', () => {
  it('later ones win, + extends, paths set inside', () => {
    const merged = mergeConfigs(
      { a: { x: 1, y: 2 }, list: [1], keep: 0 },
      { 'a::x': 5, '+list': [2], '+a': { z: 3 }, 'list#0': 9, keep: 1 },
    );
    expect(merged).toEqual({ a: { x: 5, y: 2, z: 3 }, list: [9, 2], keep: 1 });
    expect(kindOf(() => mergeConfigs({ a: 1 }, { 'b::c': 1 }))).toBe('unknown-id');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    mergeConfigs({}, JSON.parse('{"__proto__": {"polluted": 1}}') as Tree);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describeWithData('monai-bundle-mednist-gan', 'the real bundle mednist_gan', (path) => {
  const read = (name: string) => JSON.parse(readFileSync(join(path, 'mednist_gan/configs', name), 'utf8')) as Tree;

  it('evaluates to what its author meant', () => {
    const c = new Config(read('inference.json'), join(path, 'mednist_gan'));
    expect(c.value('ckpt_path')).toBe('./models/model.pt');
    expect((c.value('network') as TargetObject).named).toEqual({
      latent_shape: 64,
      start_shape: [64, 8, 8],
      channels: [32, 16, 8, 1],
      strides: [2, 2, 2, 1],
    });
    expect((c.value('device') as TargetObject).positional).toEqual(['cpu']);
    const transforms = (c.value('postprocessing') as TargetObject).named.transforms as TargetObject[];
    expect(transforms.map((t) => t.shortName)).toEqual(['Activationsd', 'ToTensord', 'SaveImaged']);
    expect(transforms[2].named.output_dir).toBe('./outputs');
    expect(() => c.value('dataset')).toThrow(/not evaluated/);
    const train = new Config(read('train.json'), join(path, 'mednist_gan'));
    expect(train.refusedImports()).toEqual(['$import scripts']);
    expect((train.value('generator') as TargetObject).named.latent_shape).toBe(64);
  });
});

describeWithPython(['monai'], 'beside the real MONAI', (python) => {
  it('plain items evaluate to the same values', () => {
    const tree: Tree = {
      a: { b: [1, 2, { c: '$@x * 2 + @a::b::0' }], d: '@#b::1', e: '@##x', f: '%x' },
      x: 4,
      s: "$@root + '/models'",
      root: '/b',
      l: '$[1, 2] + @a::b[:2]',
      t: "$'yes' if @x > 3 and not False else 'no'",
      r: '$list(range(@x))[1:]',
      m: '$-7 // 2 + -7 % 3',
      n: '%a::b::0',
      k: '$monai.utils.CommonKeys.LABEL',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the dollar is MONAI's sign of an expression
      j: "${'p': @x, 'q': [@root]}",
      u: '$len(@a::b) ** 2 / 4',
    };
    const ids = ['a::b::2::c', 'a::d', 'a::e', 'a::f', 's', 'l', 't', 'r', 'm', 'n', 'k', 'j', 'u'];
    const script = `import json,sys
from monai.bundle import ConfigParser
p=ConfigParser(json.loads(sys.argv[1])); p.parse()
print(json.dumps([p.get_parsed_content(i) for i in json.loads(sys.argv[2])]))`;
    const result = spawnSync(python, ['-c', script, JSON.stringify(tree), JSON.stringify(ids)], { encoding: 'utf8' });
    expect(result.stderr + result.status).toMatch(/0$/);
    const c = config(tree);
    expect(ids.map((id) => c.value(id))).toEqual(JSON.parse(result.stdout.trim().split('\n').at(-1) ?? ''));
  });
});
