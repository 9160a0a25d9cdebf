/**
 * Random numbers that a seed fixes for ever: sfc32 (Doty-Humphrey, PractRand), whose state is seeded by FNV-1a of the
 * seed's text. Used for synthetic anatomy and noise only, never for anything secret.
 */
export type Random = () => number;

const WARM_UP_ROUNDS = 15;

/** Uniform numbers in [0, 1). The same seed gives the same numbers on every machine. */
export function seededRandom(seed: string): Random {
  let hash = 0x811c9dc5;
  for (let n = 0; n < seed.length; n++) hash = Math.imul(hash ^ seed.charCodeAt(n), 0x01000193) >>> 0;
  let a = hash;
  let b = hash ^ 0x9e3779b9;
  let c = hash ^ 0x85ebca6b;
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let n = 0; n < WARM_UP_ROUNDS; n++) next();
  return next;
}

/** Approximately normal, mean 0, deviation 1: the sum of twelve uniform numbers (no transcendental functions). */
export function nearlyNormal(random: Random): number {
  let sum = -6;
  for (let n = 0; n < 12; n++) sum += random();
  return sum;
}
