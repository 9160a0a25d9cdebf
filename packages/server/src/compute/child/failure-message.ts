/** An error of a child as a message to its parent. */
import { isFailure } from '@isocenter/volume';
import { framesOf } from '../../defects/describe-defect.js';
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
  const [place] = error instanceof Error ? framesOf(error) : [];
  return {
    kind: 'failure',
    name: 'ComputeError',
    failure: 'child-crashed',
    // Its own text stays here: V8 and libraries quote what they were reading, and that may be a patient's name.
    message: `The run failed unexpectedly: ${kindOf(error)}`,
    ...(place === undefined ? {} : { where: withoutPaths(`at ${place}`) }),
    next: 'This is a defect of ours; please report it',
    defect: true,
  };
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'something that is no error was thrown';
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && CODE.test(code) ? `${error.name} ${code}` : error.name;
}

/** As Node and ONNX Runtime give them. */
const CODE = /^[A-Z][A-Z0-9_]{1,40}$/;
