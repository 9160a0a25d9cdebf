/** Invertd: the spatial steps that an entry went through are undone on the prediction (specs/monai.md C.2, last rule). */
import type { Arguments } from './arguments.js';
import { entryOf } from './per-key.js';
import { undoSteps } from './spatial-step.js';
import type { Transform } from './transform.js';

export function invert(args: Arguments): Transform {
  const keys = args.keys();
  const originalKey = args.get('orig_keys') === undefined ? keys[0] : args.keys('orig_keys')[0];
  const [nearest] = args.perKey(
    'nearest_interp',
    keys,
    (value) => (typeof value === 'boolean' ? value : undefined),
    true,
  );
  // The steps come with the entry; which transform object they belong to is not needed.
  for (const name of ['transform', 'to_tensor', 'orig_meta_keys', 'resizing']) args.get(name);
  args.only('post_func');
  args.finish();
  return {
    name: args.name,
    keys,
    inverts: { originalKey, nearest },
    apply(sample) {
      const { steps } = entryOf(sample, originalKey, args.name);
      for (const key of keys)
        sample.set(key, { tensor: undoSteps(entryOf(sample, key, args.name).tensor, steps, nearest), steps: [] });
    },
  };
}
