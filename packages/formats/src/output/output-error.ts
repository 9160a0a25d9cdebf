/** What can go wrong when results are put on disk, told apart so that the reader knows what to do. */
import { Failure } from '@isocenter/volume';

export type OutputErrorKind =
  | 'disk-full'
  | 'read-only'
  | 'no-permission'
  | 'not-a-folder'
  | 'exists'
  | 'bad-name'
  | 'finished'
  | 'failed';

export class OutputError extends Failure<OutputErrorKind> {}

const MEANINGS: Readonly<Record<string, readonly [OutputErrorKind, string, string]>> = {
  ENOSPC: ['disk-full', 'The disk is full', 'Free some space, or choose another output folder.'],
  EDQUOT: ['disk-full', 'The disk quota is used up', 'Free some space, or choose another output folder.'],
  EFBIG: ['disk-full', 'The file is larger than this disk allows', 'Choose an output folder on another disk.'],
  EROFS: ['read-only', 'The output lies on a read-only disk', 'Choose an output folder that can be written to.'],
  EACCES: ['no-permission', 'The output may not be written', "Change the folder's permissions, or choose another one."],
  EPERM: ['no-permission', 'The output may not be written', "Change the folder's permissions, or choose another one."],
  ENOTDIR: ['not-a-folder', 'The output is a file where a folder is needed', 'Choose another output folder.'],
  ENOENT: [
    'not-a-folder',
    'The folder that the output should lie in does not exist',
    'Make that folder first, or choose another one.',
  ],
  EEXIST: ['exists', 'Something of this name exists already', 'Choose another output folder.'],
};

/** An operating system's error in our words. */
export function outputError(cause: unknown): OutputError {
  if (cause instanceof OutputError) return cause;
  const code = (cause as NodeJS.ErrnoException)?.code ?? 'unknown reason';
  const [kind, message, next] = MEANINGS[code] ?? [
    'failed',
    `The output cannot be written (${code})`,
    'Check the disk.',
  ];
  return new OutputError(kind, message, { next, cause });
}
