/**
 * JSON as Python's json.dumps writes it: a blank after `,` and `:`, everything beyond ASCII as \uXXXX, keys in their order.
 * Integral numbers have no `.0`, which JavaScript does not keep; keys that are digits come first, in rising order.
 */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** `undefined` values are left out. Throws RangeError for numbers that JSON cannot say, TypeError for what is no JSON. */
export function jsonText(value: Json): string {
  if (typeof value === 'string') return stringText(value);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return String(value);
    throw new RangeError('JSON has no infinite numbers');
  }
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (typeof value !== 'object') throw new TypeError(`JSON cannot say a ${typeof value}`);
  const entries = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return `{${entries.map(([key, of]) => `${stringText(key)}: ${jsonText(of)}`).join(', ')}}`;
}

function stringText(text: string): string {
  return JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
