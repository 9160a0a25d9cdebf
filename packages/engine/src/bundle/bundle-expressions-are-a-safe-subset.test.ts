/** The expression subset of bundles: what it can do, and that everything else is refused with its place and does nothing. */
import { describe, expect, it } from 'vitest';
import type { ConfigValue } from './config/values.js';
import { LambdaText, LibraryName, TargetObject } from './config/values.js';
import { evaluateExpression } from './expression/evaluate.js';
import { ExpressionError } from './expression/expression-error.js';

const items: Record<string, ConfigValue> = {
  root: '/b',
  sizes: [4, 5, 6],
  flag: false,
  network_def: new TargetObject('UNet', {}),
  'a::0': 7,
};
const run = (source: string): ConfigValue =>
  evaluateExpression(source, (id) => {
    if (!(id in items)) throw new Error(`unknown ${id}`);
    return items[id];
  });

function refusal(source: string): ExpressionError {
  try {
    run(source);
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error(`was not refused: ${source}`);
}

describe('what configurations of the zoo write', () => {
  it.each<[string, unknown]>([
    ["@root + '/models/model.pt'", '/b/models/model.pt'],
    ['\'a\' "b" + str(3)', 'ab3'],
    ['1 + 2 * 3 ** 2 // 4 - -7 % 4', 1 + Math.floor(18 / 4) - 1],
    ['-2 ** 2', -4],
    ['7 // -2', -4],
    ['(1 - 164 / 256)', 1 - 164 / 256],
    ['[1, 2] + @sizes', [1, 2, 4, 5, 6]],
    ['[0] * 3', [0, 0, 0]],
    ['len(@sizes) - 1', 2],
    ['list(range(1, 8, 3))', [1, 4, 7]],
    ['@sizes[0] + @sizes[-1]', 10],
    ['@sizes[1:]', [5, 6]],
    ['@a::0 == 7 and not @flag', true],
    ["'x' if @flag else 'y'", 'y'],
    ['1 < 2 <= 2 < 3', true],
    ['3 in @sizes or 4 in @sizes', true],
    ['None is None', true],
    ["{'a': 1, 'b': [2]}['b']", [2]],
    ['int(3.9) + float("2.5")', 5.5],
    ['max(@sizes) - min(1, 2)', 5],
    ['monai.utils.CommonKeys.IMAGE', 'image'],
    ['monai.utils.CommonKeys.PRED', 'pred'],
    ["os.path.join(@root, 'eval')", '/b/eval'],
    ['np.pi / 12', Math.PI / 12],
    ['torch.cuda.device_count()', 0],
    ['set([1, 1, 2])', [1, 2]],
  ])('%s', (source, expected) => {
    expect(run(source)).toEqual(expected);
  });

  it('chooses the processor as device, and placing a network there leaves it as it is', () => {
    const device = run("torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')");
    expect(device).toBeInstanceOf(TargetObject);
    expect((device as TargetObject).positional).toEqual(['cpu']);
    expect(run('@network_def.to(@root)')).toBe(items.network_def);
  });

  it('keeps element types as names and lambdas as text', () => {
    expect(run('torch.float32')).toEqual(new LibraryName('torch.float32'));
    expect(run('lambda x: __import__("os").system("true")')).toBeInstanceOf(LambdaText);
  });

  it('describes constructor calls instead of making them', () => {
    const made = run("monai.transforms.Activationsd(keys='pred', softmax=True)") as TargetObject;
    expect(made.shortName).toBe('Activationsd');
    expect(made.named.softmax).toBe(true);
    expect(new TargetObject('monai.transforms.LoadImageDict', {}).shortName).toBe('LoadImaged');
    expect(new TargetObject('LoadImageD', {}).shortName).toBe('LoadImaged');
  });
});

describe('what is refused', () => {
  it.each([
    "__import__('os').system('touch /tmp/isocenter-evil')",
    "os.system('true')",
    '@root.__class__.__mro__',
    '().__class__.__bases__[0].__subclasses__()',
    "eval('1')",
    "exec('1')",
    "open('/etc/passwd').read()",
    "getattr(@root, 'upper')",
    '[i for i in range(3)]',
    "subprocess.Popen(['true'])",
    "torch.load('x.pt')",
    "@network_def.load_state_dict(torch.load('x'))",
    '@root.constructor',
    'constructor',
    '__proto__',
    "f'{1}'",
    'len(*@sizes)',
    "globals()['x']",
    'x',
  ])('%s', (source) => {
    const error = refusal(source);
    expect(error.kind).toBe('refused');
    expect(error.where).toContain('position');
  });

  it.each(['1 +', '(1', "'open", '1 2', '[1,,2]', '{1: 2', '@', '!', 'a b'])('no expression at all: %s', (source) => {
    expect(refusal(source).kind).toBe('syntax');
  });

  it.each([
    "'a' * 10 ** 9",
    'range(10 ** 9)',
    '10 ** 999',
    `${'('.repeat(100)}1${')'.repeat(100)}`,
    `1${' + 1'.repeat(3000)}`,
    `${'-'.repeat(500)}1`,
  ])('work without end is cut off', (source) => {
    expect(refusal(source).kind).toBe('limit');
  });

  it('points at the place', () => {
    expect(refusal('1 + frob(2)').where).toContain('»frob');
    expect(refusal('1 / 0').kind).toBe('value');
    expect(refusal('@sizes[9]').message).toContain('Index 9');
  });
});
