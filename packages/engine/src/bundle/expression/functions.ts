/** The functions an expression may call. Each is a pure function on plain data, with its own limits. */
import type { ConfigDict, ConfigValue } from '../config/values.js';
import { isDict, isTrue } from '../config/values.js';

/** No list or text of a configuration is longer. */
export const MAXIMUM_LENGTH = 100_000;

export type Complain = (kind: 'value' | 'limit', message: string) => never;
export type PureFunction = (args: readonly ConfigValue[], complain: Complain) => ConfigValue;

function numberOf(value: ConfigValue, complain: Complain): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'number') complain('value', 'A number is needed here');
  return value as number;
}

/** The items of a list, the letters of a text, the keys of a dict. */
export function itemsOf(value: ConfigValue, complain: Complain): readonly ConfigValue[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return [...value];
  if (isDict(value)) return Object.keys(value as ConfigDict);
  return complain('value', 'A list is needed here');
}

function range(args: readonly ConfigValue[], complain: Complain): ConfigValue {
  const numbers = args.map((value) => numberOf(value, complain));
  const [start, stop, step] = numbers.length === 1 ? [0, numbers[0], 1] : [numbers[0], numbers[1], numbers[2] ?? 1];
  if (numbers.length < 1 || numbers.length > 3 || !numbers.every(Number.isInteger) || step === 0)
    complain('value', 'range needs one to three whole numbers');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > MAXIMUM_LENGTH) complain('limit', `A list may have ${MAXIMUM_LENGTH} items`);
  return Array.from({ length }, (_, at) => start + at * step);
}

function parseNumber(value: ConfigValue, complain: Complain): number {
  if (typeof value !== 'string') return numberOf(value, complain);
  const number = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(value) ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : complain('value', 'This text is not a number');
}

function text(value: ConfigValue, complain: Complain): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return complain('value', 'Only numbers and text can become text');
}

const extreme = (pick: (...values: number[]) => number): PureFunction => {
  return (args, complain) => {
    const list = args.length === 1 ? itemsOf(args[0], complain) : args;
    if (list.length === 0) complain('value', 'There is nothing to choose from');
    return pick(...list.map((value) => numberOf(value, complain)));
  };
};

const unique = (args: readonly ConfigValue[], complain: Complain): ConfigValue =>
  args.length === 0 ? [] : [...new Set(itemsOf(args[0], complain))];

export const pureFunctions: Readonly<Record<string, PureFunction>> = Object.assign(Object.create(null), {
  len: (args, complain) => (typeof args[0] === 'string' ? args[0].length : itemsOf(args[0] ?? null, complain).length),
  range,
  list: (args, complain) => (args.length === 0 ? [] : [...itemsOf(args[0], complain)]),
  tuple: (args, complain) => (args.length === 0 ? [] : [...itemsOf(args[0], complain)]),
  set: unique,
  int: (args, complain) => Math.trunc(parseNumber(args[0] ?? 0, complain)),
  float: (args, complain) => parseNumber(args[0] ?? 0, complain),
  str: (args, complain) => text(args[0] ?? '', complain),
  bool: (args) => isTrue(args[0] ?? null),
  abs: (args, complain) => Math.abs(numberOf(args[0] ?? null, complain)),
  min: extreme(Math.min),
  max: extreme(Math.max),
  'os.path.join': (args, complain) => args.map((value) => text(value, complain)).join('/'),
  // The question is only asked to choose a device; networks run on the processor here.
  'torch.cuda.is_available': () => false,
  'torch.cuda.device_count': () => 0,
} satisfies Record<string, PureFunction>);

/** Names that stand for plain values. */
export const constants: Readonly<Record<string, ConfigValue>> = Object.assign(Object.create(null), {
  'np.pi': Math.PI,
  'numpy.pi': Math.PI,
  'math.pi': Math.PI,
  'np.nan': Number.NaN,
  'numpy.nan': Number.NaN,
  ...Object.fromEntries(
    Object.entries({ IMAGE: 'image', LABEL: 'label', PRED: 'pred', LOSS: 'loss', METADATA: 'metadata' }).flatMap(
      ([key, value]) =>
        ['', 'monai.utils.', 'monai.utils.enums.'].map((prefix) => [`${prefix}CommonKeys.${key}`, value]),
    ),
  ),
});

const TYPES =
  'float16|float32|float64|float|half|double|bfloat16|uint8|uint16|uint32|uint64|int8|int16|int32|int64|int|long|short|bool|bool_';
/** Element types, by which a configuration names what it wants its numbers to be. */
export const LIBRARY_NAME = new RegExp(`^(?:torch|np|numpy)\\.(?:${TYPES})$`);
/** A call of such a name describes an object; it is looked up in our own tables and never runs anything. */
export const CONSTRUCTOR = /^(?:(?:monai|torch)\.(?:\w+\.)*)?[A-Z]\w*$|^torch\.device$/;
