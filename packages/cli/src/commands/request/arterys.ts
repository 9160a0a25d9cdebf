/** `isocenter request arterys FOLDER`: an integrator's test of an inference service that speaks the Arterys protocol. */
import { Failure } from '@isocenter/volume';
import { exitCodes } from '../../exit-codes.js';
import { formatSeconds } from '../../output/progress-bar.js';
import { table } from '../../output/table.js';
import type { CommandContext } from '../../program.js';
import { checkHealth, type HealthMethod } from '../../request/arterys/health.js';
import { type ArterysReport, requestArterys } from '../../request/arterys/request.js';
import { type ServiceOptions, serviceUrl } from '../../request/arterys/service-address.js';

export interface RequestArterysOptions extends ServiceOptions {
  /** The positional argument, and `--input`, which means the same. */
  readonly folder?: string;
  readonly input?: string;
  readonly output: string;
  readonly attachments?: readonly string[];
  readonly send_study_size?: boolean;
  readonly inference_command?: string;
  readonly include_label_plots?: boolean;
  readonly request_study_path?: string;
  readonly request_options?: readonly string[];
  readonly npy?: boolean;
  readonly health?: true | HealthMethod;
  readonly key?: string;
  readonly timeout?: number;
}

class UsageError extends Failure<'no-input' | 'two-inputs' | 'bad-option'> {}

export async function requestArterysCommand(options: RequestArterysOptions, context: CommandContext): Promise<number> {
  const { terminal, watch, endProgress } = context;
  const url = serviceUrl(options);
  const common = {
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1000 }),
  };
  if (options.health !== undefined) {
    const methods: HealthMethod[] = options.health === true ? ['GET', 'POST'] : [options.health];
    const health = await checkHealth(url, methods, common, watch);
    for (const { method, says, milliseconds } of health)
      terminal.print(`${method} ${url.origin}/healthcheck  ${says}, ${formatSeconds(milliseconds / 1000)}`);
    terminal.document({ kind: 'arterys-health', health });
    return exitCodes.ok;
  }
  const input = inputOf(options);
  const report = await requestArterys(
    {
      ...common,
      url,
      ...(input === undefined ? {} : { input }),
      output: options.output,
      attachments: options.attachments ?? [],
      studySize: options.send_study_size === true,
      ...(options.inference_command === undefined ? {} : { command: options.inference_command }),
      labels: options.include_label_plots === true,
      ...(options.request_study_path === undefined ? {} : { studyPath: options.request_study_path }),
      options: keyValues(options.request_options ?? []),
      npy: options.npy === true,
    },
    watch,
  );
  endProgress();
  terminal.print(reportText(report, url));
  terminal.document(report);
  return report.valid ? exitCodes.ok : exitCodes.proof;
}

function inputOf({ folder, input, request_study_path: path }: RequestArterysOptions): string | undefined {
  if (folder !== undefined && input !== undefined && folder !== input)
    throw new UsageError('two-inputs', 'Two folders are named', { next: 'Give one, as FOLDER or with --input.' });
  const found = folder ?? input;
  if (found === undefined && path === undefined)
    throw new UsageError('no-input', 'No folder is named', {
      next: 'isocenter request arterys FOLDER; --health asks only whether the service is ready.',
    });
  return found;
}

/** Values stay text, and may hold `=` themselves. */
function keyValues(texts: readonly string[]): Record<string, string> {
  const pairs = texts.map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at < 1)
      throw new UsageError('bad-option', 'A request option is given as KEY=VALUE', {
        where: text,
        next: 'For example -R mode=fast.',
      });
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

const MOST_ROWS = 40;
const counted = (n: number, one: string, several = `${one}s`) => `${n} ${n === 1 ? one : several}`;
const MEBIBYTE = 2 ** 20;
const megabytes = (bytes: number) => (bytes < MEBIBYTE / 10 ? `${bytes} bytes` : `${(bytes / MEBIBYTE).toFixed(1)} MB`);

function reportText(report: ArterysReport, url: URL): string {
  const { images, requestBytes, answerBytes, milliseconds, parts, boxes, measurements, faults, notes, digests } =
    report;
  const lines = [
    `POST ${url.origin}${url.pathname}: ${counted(images, 'image')}, ${megabytes(requestBytes)}; answer ${megabytes(answerBytes)} after ${formatSeconds(milliseconds.answer / 1000)}`,
  ];
  if (parts.length > 0)
    lines.push(
      '',
      table(
        ['part', 'label', 'type', 'shape', 'bytes', 'largest', 'images with it'],
        parts
          .slice(0, MOST_ROWS)
          .map(({ label, type, shape, bytes, largest, filled, planes }, at) => [
            at,
            label,
            type,
            shape,
            bytes,
            largest,
            filled === undefined ? '' : `${filled} of ${planes}`,
          ]),
      ),
    );
  if (parts.length > MOST_ROWS) lines.push(`and ${parts.length - MOST_ROWS} more in report.json`);
  if (boxes > 0 || measurements > 0)
    lines.push('', `${counted(boxes, 'box', 'boxes')}, ${counted(measurements, 'measurement')}`);
  if (report.study) lines.push('', `study_ml_json ${JSON.stringify(report.study, undefined, 2)}`);
  for (const [uid, said] of Object.entries(report.series))
    lines.push('', `series_ml_json ${uid} ${JSON.stringify(said, undefined, 2)}`);
  lines.push('', ...notes.map((note) => `Note: ${note}`));
  for (const { severity, part, rule, expected, actual, next } of faults)
    lines.push(
      `${severity === 'error' ? 'FAULT' : 'Warning'} ${part}: ${rule}. Expected ${expected}; got ${actual}.`,
      `  Next: ${next}`,
    );
  const errors = faults.filter(({ severity }) => severity === 'error').length;
  lines.push(
    errors === 0
      ? `The answer keeps every rule${digests.proven ? ', and both digests are right' : ''}.`
      : `The answer breaks ${counted(errors, 'rule')}.`,
    '',
    ...listed(report.files),
  );
  return lines.join('\n');
}

const MOST_FILES = 12;

function listed(files: readonly string[]): string[] {
  if (files.length <= MOST_FILES) return files.map((file) => `  ${file}`);
  return [
    ...files.slice(0, MOST_FILES - 1).map((file) => `  ${file}`),
    `  and ${files.length - MOST_FILES + 1} more in the same folder`,
  ];
}
