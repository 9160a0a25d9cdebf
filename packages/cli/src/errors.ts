/** The CLI's border: turns any error into text for people (or a JSON document) and an exit status. */
import type { ProblemError } from '@isocenter/client';
import { type Failure, isFailure } from '@isocenter/volume';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { printable, printableLine } from './output/printable.js';

/** Class name of a Failure to exit status; what is not listed is about the input. */
const byClass: Readonly<Record<string, ExitCode>> = {
  UsageError: exitCodes.usage,
  BundleError: exitCodes.model,
  ExpressionError: exitCodes.model,
  ModelError: exitCodes.model,
  OutputError: exitCodes.output,
  ProofError: exitCodes.proof,
  ComputeError: exitCodes.resources,
  ForecastError: exitCodes.resources,
  PhantomError: exitCodes.usage,
  ConfigError: exitCodes.model,
  InfererError: exitCodes.model,
  RuntimeFailure: exitCodes.model,
  TransformError: exitCodes.model,
  WeightsError: exitCodes.model,
  ConfigurationError: exitCodes.usage,
  AddressError: exitCodes.usage,
  AddressFileError: exitCodes.server,
  FetchError: exitCodes.server,
  RequestError: exitCodes.server,
  StateError: exitCodes.server,
  BlobError: exitCodes.server,
  RegistryError: exitCodes.server,
  AccountError: exitCodes.server,
  HttpError: exitCodes.server,
  JobError: exitCodes.server,
  WorkerError: exitCodes.server,
};

/** Kinds that decide alone, whatever class they come in. */
const byKind: Readonly<Record<string, ExitCode>> = {
  cancelled: exitCodes.cancelled,
  'unknown-format': exitCodes.usage,
  'needs-dicom': exitCodes.usage,
  'spool-failed': exitCodes.resources,
};

export function exitCodeOf(error: unknown): ExitCode {
  if (isProblem(error)) return exitCodes.server;
  if (isFailure(error)) return byKind[error.kind] ?? byClass[error.name] ?? exitCodes.input;
  if (isAbort(error)) return exitCodes.cancelled;
  return exitCodes.defect;
}

/** Which option of ours does what a message proposes; messages themselves serve borders that have no options. */
const options: Readonly<Record<string, string>> = {
  'ambiguous-series': '--series 2, or --series UID',
  'damaged-source': '--ignore-damaged',
  exists: '--force',
  fragment: '--series 1, or --longest-run',
  'memory-limit': '--memory MB',
  'mixed-formats': 'convert --images takes the images of such an input',
  'time-limit': '--time SECONDS',
};

function nextOf({ kind, next }: Failure): string | undefined {
  const option = Object.hasOwn(options, kind) ? options[kind] : undefined;
  if (option === undefined || next?.includes(option)) return next;
  return `${next ?? ''} (${option})`.trim();
}

/** What `--json` prints for an error; problem details without stack. */
export function errorDocument(error: unknown): object {
  if (isProblem(error)) {
    const { kind, message, where, fields, status, requestId } = error;
    const next = nextOfProblem(error);
    return { error: { class: error.name, kind, message, where, fields, next, status, requestId } };
  }
  if (isFailure(error))
    return {
      error: { class: error.name, kind: error.kind, message: error.message, where: error.where, next: nextOf(error) },
    };
  if (isAbort(error)) return { error: { class: 'AbortError', kind: 'cancelled', message: CANCELLED } };
  return {
    error: { class: 'Defect', kind: 'defect', message: error instanceof Error ? error.message : String(error) },
  };
}

/** The document of a wrong command line; `message` as commander words it. */
export function usageDocument(code: string, message: string): object {
  return {
    error: {
      class: 'UsageError',
      kind: code.replace(/^commander\./, ''),
      message: message.replace(/^error: /, ''),
      next: 'isocenter --help lists the commands, isocenter COMMAND --help the options of one.',
    },
  };
}

/** What people read on stderr. */
export function errorText(error: unknown): string {
  if (isProblem(error)) return problemText(error);
  if (isFailure(error)) return printable(`${describe(error)}${causes(error)}\n  (${error.name} ${error.kind})`);
  if (isAbort(error)) return CANCELLED;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return printable(`A defect of Isocenter, please report it with this text:\n${stack}`);
}

/** By its name: the client is a large module, which `--help` need not load. */
function isProblem(error: unknown): error is ProblemError {
  return error instanceof Error && error.name === 'ProblemError';
}

/** The server's own words; its request id finds the line in its log. */
function problemText(error: ProblemError): string {
  const { message, where, kind, status, requestId } = error;
  const place = where ? ` [${printableLine(where)}]` : '';
  const fields = error.fields.map(({ path, fault }) => `\n  ${printableLine(`${path}: ${fault}`)}`).join('');
  const next = nextOfProblem(error);
  const step = next ? `\n  Next: ${printableLine(next)}` : '';
  const request = requestId ? `, request ${requestId}` : '';
  const said = status === 0 ? kind : `the server says ${kind}, HTTP ${status}${request}`;
  return printable(`${printableLine(message)}${place}${fields}${step}${networkCause(error)}\n  (${said})`);
}

/** The server tells programs what to request; people have commands. */
function nextOfProblem({ kind, status, where, next }: ProblemError): string | undefined {
  if (status === 401)
    return "Give a key with --key or ISOCENTER_KEY. On the server's machine `isocenter keys create --name NAME --role ROLE` makes one.";
  if (kind === 'not-found' && (where === 'model' || where === 'job')) return `\`isocenter ${where}s list\` shows them.`;
  if (kind === 'validation') return undefined;
  return next;
}

/** Why there was no answer, as far as the system says. */
function networkCause(error: ProblemError): string {
  if (error.status !== 0) return '';
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) continue;
    return /SSL|EPROTO/.test(code)
      ? `\n  Because: what answers there does not speak https (${code}); try http://`
      : `\n  Because: ${printableLine(code)}`;
  }
  return '';
}

function describe(error: Failure): string {
  const where = error.where ? ` [${printableLine(error.where)}]` : '';
  const next = nextOf(error);
  return `${printableLine(error.message)}${where}${next ? `\n  Next: ${printableLine(next)}` : ''}`;
}

const CANCELLED = 'Cancelled. Nothing was written.';

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function causes(error: Failure): string {
  let text = '';
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
    text += `\n  Because: ${printableLine(reason(cause))}`;
  return text;
}

/** The system puts paths into its messages, and paths hold patients' names; its code says as much. */
function reason(cause: Error): string {
  const { code, syscall } = cause as NodeJS.ErrnoException;
  if (syscall === undefined || code === undefined) return cause.message;
  return `${code} (${syscall})`;
}
