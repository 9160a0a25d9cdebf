/** Questions about JSON values that came from elsewhere. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

export function isNumbers(value: unknown, lengths: readonly number[]): value is readonly number[] {
  return Array.isArray(value) && lengths.includes(value.length) && value.every((n) => Number.isFinite(n));
}
