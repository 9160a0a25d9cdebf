/** A file that a person wrote as JSON; what is wrong with it is told, not shown as a defect. */
import { readFile } from 'node:fs/promises';
import { Failure } from '@isocenter/volume';

export class JsonFileError extends Failure<'not-found' | 'not-json'> {}

/** `option`: the one that named the file. Throws JsonFileError. */
export async function readJson(path: string, option: string): Promise<unknown> {
  const text = await readText(path, option);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new JsonFileError('not-json', 'This file is not JSON', { where: `${option} ${path}`, cause });
  }
}

export async function readText(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new JsonFileError('not-found', 'This file cannot be read', {
      where: `${option} ${path}`,
      next: 'Check the path.',
      cause,
    });
  }
}
