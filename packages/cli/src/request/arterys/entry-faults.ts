/** Faults of one entry of a list of the answer: where it stands is said once. */
import type { Faults } from './faults.js';

export type Problem = (field: string, rule: string, expected: string, actual: unknown, next: string) => void;

/** Problems of one entry; `count` grows with each. */
export function entryFaults(place: string, faults: Faults): { problem: Problem; sound(): boolean } {
  const before = faults.errors;
  return {
    problem: (field, rule, expected, actual, next) =>
      faults.error({ part: field === '' ? place : `${place}.${field}`, rule, expected, actual, next }),
    sound: () => faults.errors === before,
  };
}
