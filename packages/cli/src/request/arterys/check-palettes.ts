/** Rules of `palettes`: named lists of anchor points, from threshold 0 to 1. */
import type { AnchorPoint } from '@isocenter/engine';
import { entryFaults, type Problem } from './entry-faults.js';
import type { Faults } from './faults.js';
import { isNumbers, isObject } from './json-shapes.js';

const LARGEST_COLOUR = 255;

/** Palettes without a fault, by name. */
export function checkPalettes(value: unknown, faults: Faults): Map<string, readonly AnchorPoint[]> {
  const found = new Map<string, readonly AnchorPoint[]>();
  if (value === undefined) return found;
  if (!isObject(value)) {
    faults.error({
      part: 'palettes',
      rule: 'palettes have names',
      expected: '{ name: { type, data } }',
      actual: value,
      next: 'Use an object.',
    });
    return found;
  }
  for (const [name, palette] of Object.entries(value)) {
    const { problem, sound } = entryFaults(`palettes[${JSON.stringify(name)}]`, faults);
    if (!isObject(palette)) {
      problem(
        '',
        'a palette is an object',
        '{ type: "anchorpoints", data: [ … ] }',
        palette,
        'See the shapes of the protocol.',
      );
      continue;
    }
    if (palette.type !== 'anchorpoints')
      problem('type', 'its type is known', '"anchorpoints"', palette.type, 'No other kind exists.');
    const { data } = palette;
    if (!Array.isArray(data) || data.length < 2)
      problem(
        'data',
        'it has two points or more',
        '[ { threshold, color }, … ]',
        data,
        'Give at least the ends 0.0 and 1.0.',
      );
    else checkAnchors(data, problem);
    if (sound()) found.set(name, data as AnchorPoint[]);
  }
  return found;
}

function checkAnchors(data: readonly unknown[], problem: Problem): void {
  data.forEach((point, at) => {
    const { threshold, color } = isObject(point) ? point : {};
    if (typeof threshold !== 'number' || threshold < 0 || threshold > 1)
      problem(
        `data[${at}].threshold`,
        'a threshold lies from 0 to 1',
        'a number',
        threshold,
        'It is a share, not a grey value.',
      );
    if (!isNumbers(color, [4]) || color.some((c) => c < 0 || c > LARGEST_COLOUR))
      problem(
        `data[${at}].color`,
        'a colour is R, G, B, A from 0 to 255',
        '[R, G, B, A]',
        color,
        'The last is the opacity.',
      );
  });
  const thresholds = data.map((point) => (isObject(point) ? point.threshold : undefined));
  if (thresholds[0] !== 0)
    problem('data[0].threshold', 'the first threshold is 0.0', '0', thresholds[0], 'Add a point at 0.0.');
  const last = thresholds.length - 1;
  if (thresholds[last] !== 1)
    problem(`data[${last}].threshold`, 'the last threshold is 1.0', '1', thresholds[last], 'Add a point at 1.0.');
  const falls = thresholds.findIndex((t, at) => at > 0 && (t as number) < (thresholds[at - 1] as number));
  if (falls > 0)
    problem(
      `data[${falls}].threshold`,
      'thresholds ascend',
      `${thresholds[falls - 1]} or more`,
      thresholds[falls],
      'Sort the points.',
    );
}
