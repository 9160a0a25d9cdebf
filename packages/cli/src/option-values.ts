/** Values of options: from text to what a command takes, or a message that says what is wrong with it. */
import { InvalidArgumentError } from 'commander';

export function commaList(text: string): string[] {
  const parts = text
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== '');
  if (parts.length === 0) throw new InvalidArgumentError('It names no format.');
  return parts;
}

export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** An empty path would mean the current folder, which nobody means by an unset variable. */
export function notEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

export function share(text: string): number {
  const value = positiveNumber(text);
  if (value > 1) throw new InvalidArgumentError('It must be a number from 0 to 1, e.g. 0.95.');
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

export function positiveInteger(text: string): number {
  const value = positiveNumber(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}

/** More threads than this help no network, and a mistyped number must not exhaust the machine. */
const MOST_THREADS = 1024;

export function threadCount(text: string): number {
  const value = positiveInteger(text);
  if (value > MOST_THREADS) throw new InvalidArgumentError(`It must be at most ${MOST_THREADS}.`);
  return value;
}

export function numberTriple(text: string): [number, number, number] {
  const values = text.split(',').map(positiveNumber);
  if (values.length !== 3) throw new InvalidArgumentError('It needs three numbers, e.g. 0.98,0.98,3.');
  return [values[0], values[1], values[2]];
}

export function degreesTriple(text: string): [number, number, number] {
  const values = text.split(',').map(Number);
  if (values.length !== 3 || values.some((degrees) => !(Math.abs(degrees) <= 180)))
    throw new InvalidArgumentError('It needs three angles from -180 to 180, e.g. --tilt=12,-8,5.');
  return [values[0], values[1], values[2]];
}
