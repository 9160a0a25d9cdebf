/**
 * Transforms that only say where data comes from, how it is stored or where it goes. The input is read before the
 * sample is made and every tensor has its channels first and knows its affine, so nothing is left for them to do.
 */
import type { Arguments } from './arguments.js';
import type { Transform } from './transform.js';

/** LoadImaged, EnsureTyped, ToTensord, ToDeviced …: the sample stays as it is. */
export function unchanged(args: Arguments, allowed: readonly string[]): Transform {
  const keys = args.get('keys') === undefined ? [] : args.keys();
  for (const name of allowed) args.get(name);
  args.finish();
  return { name: args.name, keys, neutral: true, apply() {} };
}

/** The element type may become float only: here all intensities are float32, all label maps whole numbers. */
export function castToType(args: Arguments): Transform {
  const name = args.text('dtype') ?? 'float32';
  if (!/^(float|float32|float64|double|half|float16|uint8|uint16|int16|int32|int64|int|long|short)$/.test(name))
    throw args.error('unsupported-argument', `dtype ${name} is not supported`);
  const whole = /int|long|short/.test(name);
  const keys = args.keys();
  args.finish();
  return {
    name: args.name,
    keys,
    apply(sample) {
      if (!whole) return;
      for (const key of keys) {
        const entry = sample.get(key);
        if (entry?.tensor.data instanceof Float32Array)
          for (let at = 0, { data } = entry.tensor; at < data.length; at++) data[at] = Math.trunc(data[at]);
      }
    },
  };
}
