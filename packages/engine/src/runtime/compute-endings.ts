/** The ways in which a compute child is ended or ends without an answer, as errors with figures and a next step. */
import { ComputeError } from './compute-error.js';
import { megabytes } from './forecast.js';

export function cancelled(): ComputeError {
  return new ComputeError('cancelled', 'The run was cancelled');
}

export function overTime(limitMs: number): ComputeError {
  return new ComputeError('time-limit', `The run took longer than its limit of ${limitMs} ms and was ended`, {
    next: 'Raise the time limit, or use fewer windows (less overlap) or more threads',
  });
}

export function overMemory(residentBytes: number, limitBytes: number): ComputeError {
  return new ComputeError(
    'memory-limit',
    `The run took ${megabytes(residentBytes)}, its limit is ${megabytes(limitBytes)}, and was ended`,
    { next: 'Raise the memory limit, or use a smaller window or tile' },
  );
}

/** `complaint`: the end of what the child wrote to stderr. */
export function crashed(code: number | null, signal: string | null, complaint: string): ComputeError {
  const how = signal ? `was ended by ${signal}` : `ended with status ${code}`;
  return new ComputeError('child-crashed', `The compute child ${how} before it had an answer`, {
    ...(complaint ? { where: complaint.trim().split('\n').slice(-2).join(' ') } : {}),
    next:
      signal === 'SIGKILL'
        ? 'The system may have been short of memory: free some, or set a memory limit'
        : 'Try again; report it if it happens twice',
  });
}
