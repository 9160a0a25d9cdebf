/** `isocenter backup`: all rows and blobs but images of patients, in one file, while the server runs or not. */
import { backUp } from '@isocenter/server';
import type { CommandContext } from '../program.js';
import { configurationOf, type ServerOptions } from '../server-options.js';

export async function backupCommand(
  options: ServerOptions & { readonly file: string; readonly force?: boolean },
  { terminal }: CommandContext,
): Promise<undefined> {
  const report = await backUp(configurationOf(options).values, options.file, options.force === true);
  terminal.print(
    `${options.file}: ${report.rows} rows of ${report.tables} tables, ${report.blobs} blobs, ${report.bytes} bytes`,
  );
  for (const id of report.damaged) terminal.print(`damaged, left out: blob ${id}`);
  if (report.missing.length > 0)
    terminal.print(`${report.missing.length} blobs were erased meanwhile and are not in it`);
  terminal.document(report);
  return undefined;
}
