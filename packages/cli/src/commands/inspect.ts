/** `isocenter inspect INPUT`: what is in it, what is wrong with it, and which series a model would take. */
import { type InspectReport, inspectStudy, loadBundle, shippedModels } from '@isocenter/engine';
import { exitCodes } from '../exit-codes.js';
import { table } from '../output/table.js';
import type { CommandContext } from '../program.js';

export interface InspectOptions {
  readonly input: string;
  readonly model?: string;
  readonly models: readonly string[];
  readonly json?: boolean;
}

/** Long lists of files are cut; `--json` has all of them. */
const LISTED_FILES = 8;

export async function inspectCommand(
  options: InspectOptions,
  { terminal, watch, endProgress }: CommandContext,
): Promise<number> {
  const bundle = options.model
    ? await loadBundle(options.model, { models: [...options.models, shippedModels] })
    : undefined;
  const report = await inspectStudy(options.input, bundle, watch);
  endProgress();
  terminal.print(inspectText(report));
  terminal.document(report);
  return bundle && report.choice?.failure ? exitCodes.input : exitCodes.ok;
}

function inspectText(report: InspectReport): string {
  const parts: string[] = [];
  if (report.series.length > 0) parts.push(seriesTable(report), findings(report));
  if (report.images.length > 0)
    parts.push(
      table(
        ['file', 'format', 'channels', 'voxels', 'spacing mm', 'axes'],
        report.images.map(({ name, format, channels, size, spacing, axes }) => [
          name,
          format,
          channels,
          size.join(' × '),
          millimetres(spacing),
          axes,
        ]),
      ),
    );
  if (report.objects.length > 0)
    parts.push(
      table(
        ['object', 'file', 'SOPInstanceUID'],
        report.objects.map(({ kind, source, SOPInstanceUID }) => [kind, source, SOPInstanceUID]),
      ),
    );
  parts.push(
    list(
      'not DICOM, left out',
      report.ignored.map(({ name, reason }) => `${name}: ${reason}`),
    ),
  );
  parts.push(
    list(
      'DAMAGED',
      report.refused.map(({ name, message, next }) => `${name}: ${message}${next ? ` ${next}` : ''}`),
    ),
  );
  if (report.choice) parts.push(choice(report.choice));
  return parts.filter((part) => part !== '').join('\n\n');
}

function seriesTable({ series }: InspectReport): string {
  return table(
    ['no.', 'modality', 'images', 'voxels', 'spacing mm', 'axes', 'state', 'description'],
    series.map((one) => [
      one.number,
      one.Modality,
      one.images,
      one.size?.join(' × ') ?? '',
      one.spacing ? millimetres(one.spacing) : '',
      one.axes ?? '',
      one.usable ? (one.localiser ? 'localiser' : 'usable') : 'NOT USABLE',
      one.SeriesDescription ?? '',
    ]),
  );
}

function findings({ series }: InspectReport): string {
  return series
    .flatMap(({ title, findings: found }) =>
      found.map(
        ({ severity, message, where, next }) =>
          `${title}, ${severity}: ${message}${where ? ` [${where}]` : ''}${next ? `\n    Next: ${next}` : ''}`,
      ),
    )
    .join('\n');
}

function choice({ model, reasons, failure }: NonNullable<InspectReport['choice']>): string {
  const lines = [model ? `With ${model}:` : 'Without a model:', ...reasons.map((reason) => `  ${reason}`)];
  if (failure) lines.push(`  ${failure.message}`, ...(failure.next ? [`  Next: ${failure.next}`] : []));
  return lines.join('\n');
}

function list(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const more = lines.length - LISTED_FILES;
  return [
    `${lines.length} ${title}:`,
    ...lines.slice(0, LISTED_FILES).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more (--json lists all)`] : []),
  ].join('\n');
}

function millimetres(values: readonly number[]): string {
  return values.map((mm) => Number(mm.toFixed(3))).join(' × ');
}
