/** No path of this machine leaves a child: neither in a failure nor in what a crash printed. */
import { Failure } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { failureMessage } from './failure-message.js';
import { withoutPaths } from './without-paths.js';

describe('a text without paths', () => {
  it.each([
    ['cannot open /var/lib/isocenter/jobs/17/in.zip: no such file', 'cannot open …: no such file'],
    ['at run (file:///opt/isocenter/dist/run.js:12:3)', 'at run (run.js:12:3)'],
    ["ENOENT: open 'C:\\data\\jobs\\in.zip'", "ENOENT: open '…'"],
    ['/opt/x/onnxruntime_binding.node: undefined symbol', 'onnxruntime_binding.node: undefined symbol'],
    ['12 MB/s, 3/4 of the windows, [1, 1, 64]', '12 MB/s, 3/4 of the windows, [1, 1, 64]'],
  ])('%s', (text, expected) => {
    expect(withoutPaths(text)).toBe(expected);
  });
});

describe('a failure', () => {
  it('keeps kind, name and next step', () => {
    class ModelError extends Failure<'cannot-load'> {}
    const error = new ModelError('cannot-load', 'The model is damaged', {
      where: '/srv/models/a/models/model.onnx',
      next: 'Fetch it again',
    });
    expect(failureMessage(error)).toEqual({
      kind: 'failure',
      name: 'ModelError',
      failure: 'cannot-load',
      message: 'The model is damaged',
      where: '…',
      next: 'Fetch it again',
      defect: false,
    });
  });

  it('that nobody foresaw is a defect, with the line of our code and no more', () => {
    const reply = failureMessage(new TypeError('x is not a function in /srv/data/patient/in.zip'));
    expect(reply).toMatchObject({ failure: 'child-crashed', defect: true });
    expect(reply.message).toBe('The run failed unexpectedly: TypeError');
    expect(reply.where).toMatch(/texts-of-children-name-no-place\.test\.ts:\d+/);
    expect(reply.where).not.toContain('/');
  });

  it('that nobody foresaw quotes nothing of what was read, which may be a patient', () => {
    const quoted = (read: () => unknown): unknown => {
      try {
        return read();
      } catch (error) {
        return error;
      }
    };
    const errors = [
      quoted(() => JSON.parse('"Planted^Patient')),
      quoted(() => BigInt('Planted^Patient')),
      new Error('first line\n    at Planted^Patient (x.js:1:1)'),
      'Planted^Patient',
      Object.assign(new Error('Planted^Patient'), { code: 'Planted^Patient' }),
    ];
    for (const error of errors) expect(JSON.stringify(failureMessage(error))).not.toContain('Planted');
    const missing = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    expect(failureMessage(missing).message).toBe('The run failed unexpectedly: Error ENOENT');
  });
});
