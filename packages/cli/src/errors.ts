/** The CLI's border: turns any error into text for people (or a JSON document) and an exit status. */
import { describeFailure, type Failure, isFailure } from '@isocenter/volume';
import { type ExitCode, exitCodes } from './exit-codes.js';

/** Class name of a Failure to exit status; what is not listed is about the input. */
const byClass: Readonly<Record<string, ExitCode>> = {
  UsageError: exitCodes.usage,
  BundleError: exitCodes.model,
  ExpressionError: exitCodes.model,
  ModelError: exitCodes.model,
  OutputError: exitCodes.output,
  ProofError: exitCodes.proof,
  ComputeError: exitCodes.resources,
};

/** Kinds that decide alone, whatever class they come in. */
const byKind: Readonly<Record<string, ExitCode>> = {
  cancelled: exitCodes.cancelled,
};

export function exitCodeOf(error: unknown): ExitCode {
  if (isFailure(error)) return byKind[error.kind] ?? byClass[error.name] ?? exitCodes.input;
  if (error instanceof Error && error.name === 'AbortError') return exitCodes.cancelled;
  return exitCodes.defect;
}

/** What `--json` prints for an error; problem details without stack. */
export function errorDocument(error: unknown): object {
  if (isFailure(error))
    return {
      error: { class: error.name, kind: error.kind, message: error.message, where: error.where, next: error.next },
    };
  return {
    error: { class: 'Defect', kind: 'defect', message: error instanceof Error ? error.message : String(error) },
  };
}

/** What people read on stderr. */
export function errorText(error: unknown): string {
  if (isFailure(error)) return `${describeFailure(error)}${causes(error)}\n  (${error.name} ${error.kind})`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `A defect of Isocenter, please report it with this text:\n${stack}`;
}

function causes(error: Failure): string {
  let text = '';
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) text += `\n  Because: ${cause.message}`;
  return text;
}
