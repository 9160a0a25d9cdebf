/** An error of a child as a message to its parent. */
import { isFailure } from '@isocenter/volume';
import type { ChildReply } from './messages.js';
import { withoutPaths } from './without-paths.js';

type FailureMessage = ChildReply & { kind: 'failure' };

/** A Failure of any child of ours in words that may leave it; undefined for other errors. */
export function forwardable(error: unknown): Omit<FailureMessage, 'defect'> | undefined {
  if (!isFailure(error)) return undefined;
  return {
    kind: 'failure',
    name: error.name,
    failure: error.kind,
    message: withoutPaths(error.message),
    ...(error.where === undefined ? {} : { where: withoutPaths(error.where) }),
    ...(error.next === undefined ? {} : { next: withoutPaths(error.next) }),
  };
}

export function failureMessage(error: unknown): FailureMessage {
  const failure = forwardable(error);
  if (failure) return { ...failure, defect: false };
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const place = error instanceof Error ? error.stack?.split('\n')[1]?.trim() : undefined;
  return {
    kind: 'failure',
    name: 'ComputeError',
    failure: 'child-crashed',
    message: `The run failed unexpectedly: ${withoutPaths(text)}`,
    ...(place === undefined ? {} : { where: withoutPaths(place) }),
    next: 'This is a defect of ours; please report it',
    defect: true,
  };
}
