/** `isocenter restore`: a backup into an empty data directory or database. */
import { restoreServer } from '@isocenter/server';
import type { CommandContext } from '../program.js';
import { configurationOf, type ServerOptions } from '../server-options.js';

export async function restoreCommand(
  options: ServerOptions & { readonly input: string; readonly sameStore?: boolean },
  { terminal }: CommandContext,
): Promise<undefined> {
  const report = await restoreServer(configurationOf(options).values, options.input, options.sameStore === true);
  terminal.print(`Restored the backup of ${report.createdAt}: ${report.rows} rows, ${report.blobs} blobs`);
  if (report.requeued > 0)
    terminal.print(
      `${report.requeued} jobs had not ended and run when a server starts; those whose images are gone will fail and say so`,
    );
  terminal.document(report);
  return undefined;
}
