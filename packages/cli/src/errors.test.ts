import { Failure } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { errorDocument, errorText, exitCodeOf } from './errors.js';
import { exitCodes } from './exit-codes.js';

class OutputError extends Failure<'disk-full'> {}
class DicomError extends Failure<'truncated'> {}

describe('an error at the border of the command line', () => {
  it('has the exit status of its class, and input for all that is not listed', () => {
    expect(exitCodeOf(new OutputError('disk-full', 'No space'))).toBe(exitCodes.output);
    expect(exitCodeOf(new DicomError('truncated', 'Ends too early'))).toBe(exitCodes.input);
    expect(exitCodeOf(new TypeError('x is undefined'))).toBe(exitCodes.defect);
  });

  it('tells people what, where, why and the next step', () => {
    const error = new DicomError('truncated', 'The file ends too early', {
      where: 'entry 3, offset 12',
      next: 'Send it again.',
      cause: new Error('short read'),
    });
    const text = errorText(error);
    for (const part of ['The file ends too early', 'entry 3, offset 12', 'Send it again.', 'short read', 'truncated'])
      expect(text).toContain(part);
  });

  it('gives machines the same without a stack', () => {
    expect(errorDocument(new DicomError('truncated', 'Ends', { where: 'here', next: 'Again.' }))).toEqual({
      error: { class: 'DicomError', kind: 'truncated', message: 'Ends', where: 'here', next: 'Again.' },
    });
  });
});
