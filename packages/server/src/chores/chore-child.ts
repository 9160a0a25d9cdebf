/** The child of one chore: takes it as its first message, sends the answer, ends. Who wants it to stop kills it. */
import { forwardable } from '../compute/child/failure-message.js';
import type { Chore, ChoreAnswers, ChoreMessage } from './chore.js';
import { inspect } from './inspect.js';
import { comparePhantom, writePhantom } from './phantom.js';
import { writeSlicerSegmentation } from './slicer-segmentation.js';

function perform(chore: Chore): Promise<ChoreAnswers[Chore['kind']]> {
  switch (chore.kind) {
    case 'inspect':
      return inspect(chore);
    case 'slicer-segmentation':
      return writeSlicerSegmentation(chore);
    case 'phantom':
      return writePhantom(chore);
    case 'compare-phantom':
      return comparePhantom(chore);
  }
}

function failureOf(error: unknown): ChoreMessage {
  const failure = forwardable(error);
  if (failure) return failure;
  // Texts of other errors may hold paths or values of a patient.
  return {
    kind: 'failure',
    name: 'ChoreError',
    failure: 'failed',
    message: `The files could not be read: ${error instanceof Error ? error.name : 'an unknown error'}`,
    next: 'This is a defect of ours; please report it.',
  };
}

process.on('disconnect', () => process.exit(1));
process.once('message', async (chore: Chore) => {
  const message = await perform(chore).then((answer): ChoreMessage => ({ kind: 'answer', answer }), failureOf);
  process.send?.(message, () => process.exit(0));
});
