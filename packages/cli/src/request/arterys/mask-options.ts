/** Rules of what may stand beside a mask: threshold, palette, names of labels. */
import { type Faults, said } from './faults.js';
import { isObject, type JsonObject } from './json-shapes.js';

function useless(place: string, key: string, type: string, faults: Faults): void {
  faults.warning({
    part: `${place}.${key}`,
    rule: `only a ${type} has it`,
    expected: 'nothing',
    actual: said(`a ${key}`),
    next: 'It has no effect here.',
  });
}

export function checkThreshold(
  { probability_threshold: value, binary_type: type }: JsonObject,
  place: string,
  faults: Faults,
) {
  if (value === undefined) return;
  if (type !== 'probability_mask') useless(place, 'probability_threshold', 'probability_mask', faults);
  if (typeof value !== 'number' || !(value >= 0 && value <= 1))
    faults.error({
      part: `${place}.probability_threshold`,
      rule: 'a threshold is a probability',
      expected: '0 to 1',
      actual: value,
      next: 'Divide grey values by 255.',
    });
}

export function checkPalette(entry: JsonObject, place: string, known: ReadonlySet<string>, faults: Faults): void {
  const { palette, binary_type: type } = entry;
  if (palette === undefined) return;
  if (type !== 'heatmap') useless(place, 'palette', 'heatmap', faults);
  if (typeof palette !== 'string' || !known.has(palette))
    faults.error({
      part: `${place}.palette`,
      rule: 'the palette stands in `palettes`',
      expected: known.size === 0 ? 'an entry in `palettes`' : [...known].join(' or '),
      actual: palette,
      next: 'Add it to `palettes` at the top level, or leave it out for the default colours.',
    });
}

const LARGEST_LABEL = 255;

/** `label_map`: digit strings to unique names, up to the largest value in `body`. */
export function checkLabelMap(entry: JsonObject, place: string, body: Uint8Array | undefined, faults: Faults): void {
  const { label_map: map, binary_type: type } = entry;
  const part = `${place}.label_map`;
  if (type !== 'numeric_label_mask') {
    if (map !== undefined) useless(place, 'label_map', 'numeric_label_mask', faults);
    return;
  }
  if (!isObject(map) || Object.keys(map).length === 0) {
    faults.error({
      part,
      rule: 'labels have names',
      expected: '{ "1": "name", … }',
      actual: map,
      next: 'Name every value of the mask.',
    });
    return;
  }
  for (const [key, name] of Object.entries(map)) {
    if (!/^\d+$/.test(key) || Number(key) > LARGEST_LABEL)
      faults.error({
        part,
        rule: 'keys are label values',
        expected: '"0" to "255"',
        actual: key,
        next: 'Write the number as a string of digits.',
      });
    if (typeof name !== 'string' || name === '')
      faults.error({
        part,
        rule: 'labels have names',
        expected: `a string for ${key}`,
        actual: name,
        next: 'Name every value of the mask.',
      });
  }
  const names = Object.values(map);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    faults.error({
      part,
      rule: 'names are unique',
      expected: 'each name once',
      actual: twice,
      next: 'Name the labels apart.',
    });
  const largestKey = Math.max(
    ...Object.keys(map)
      .filter((key) => /^\d+$/.test(key))
      .map(Number),
  );
  let largest = 0;
  for (const value of body ?? []) if (value > largest) largest = value;
  if (largest > largestKey)
    faults.error({
      part,
      rule: 'the largest value of the mask has a name',
      expected: `values up to ${largestKey}`,
      actual: largest,
      next: 'Add the missing names, or check that labels are not scaled to 255.',
    });
}

export function labelNames(entry: JsonObject): ReadonlyMap<number, string> {
  const map = isObject(entry.label_map) ? entry.label_map : {};
  return new Map(Object.entries(map).map(([key, name]) => [Number(key), String(name)]));
}
