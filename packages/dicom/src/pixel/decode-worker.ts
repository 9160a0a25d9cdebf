/** What runs in a worker thread of decode-pool.ts: parse one file, decode one frame into shared memory. */
import { isFailure } from '@isocenter/volume';
import type { DicomErrorKind } from '../dataset/errors.js';
import { parseDicom } from '../dataset/parse.js';
import { decodeFrameInto } from './decode.js';
import type { SampleArray } from './samples.js';

export interface DecodeTask {
  readonly bytes: Uint8Array;
  readonly frame: number;
  /** A view on a SharedArrayBuffer. */
  readonly target: SampleArray;
  readonly offset: number;
}

/** Errors lose their class between threads; this is what is rebuilt on the other side. */
export interface TaskFailure {
  readonly kind: DicomErrorKind;
  readonly message: string;
  readonly where?: string;
  readonly next?: string;
}

export default async function decodeTask(task: DecodeTask): Promise<TaskFailure | undefined> {
  try {
    await decodeFrameInto(parseDicom(task.bytes), task.frame, task.target, task.offset);
    return undefined;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return {
      kind: error.kind as DicomErrorKind,
      message: error.message,
      ...(error.where === undefined ? {} : { where: error.where }),
      ...(error.next === undefined ? {} : { next: error.next }),
    };
  }
}
