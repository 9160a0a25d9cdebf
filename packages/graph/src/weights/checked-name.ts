/** Names of tensors become names in graphs, in JSON and in other files: one rule for all readers and writers. */
import type { WeightsLimits } from './limits.js';
import { shown, WeightsError } from './weights-error.js';

/** No layer is called so, and a careless object somewhere later would be changed by them. */
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** Returns `name`. Throws WeightsError `unsafe-name`: empty, endless, with control characters, or a prototype's key. */
export function checkedName(name: string, limits: WeightsLimits): string {
  if (name === '') throw unsafe('A tensor has no name', name);
  if (name.length > limits.maximumNameLength)
    throw unsafe(`A tensor's name has ${name.length} characters; ${limits.maximumNameLength} are allowed`, name);
  if (/[\p{Cc}\p{Cs}]/u.test(name)) throw unsafe("A tensor's name holds control characters", name);
  if (name.split('.').some((word) => PROTOTYPE_KEYS.has(word)))
    throw unsafe("A tensor's name is one that programs keep for themselves", name);
  return name;
}

function unsafe(message: string, name: string): WeightsError {
  return new WeightsError('unsafe-name', message, {
    where: shown(name) || undefined,
    next: 'Rename the tensors in Python and save the file again.',
  });
}
