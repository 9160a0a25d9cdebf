/** `isocenter config`: every setting with its value, where that comes from and what it is for. */
import { describeConfiguration } from '@isocenter/server';
import { table } from '../output/table.js';
import type { CommandContext } from '../program.js';
import { configurationOf, type ServerOptions } from '../server-options.js';

export async function configCommand(options: ServerOptions, { terminal }: CommandContext): Promise<undefined> {
  const read = configurationOf(options);
  const settings = describeConfiguration(read);
  terminal.print(
    table(
      ['setting', 'value', 'from', 'variable'],
      settings.map(({ key, value, origin, environment }) => [
        key,
        value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value),
        origin,
        environment,
      ]),
    ),
  );
  terminal.print(
    `\nLater ones win: default, file (${read.file ?? `${read.values.home}/config.json, which is not there`}), environment, flag.`,
  );
  const { environmentFile, ignored } = read;
  if (environmentFile) {
    const { path, taken, unread } = environmentFile;
    terminal.print(`Also read where the environment lacks them: ${taken.join(', ') || 'nothing'} from ${path}.`);
    if (unread.length > 0) terminal.print(`Not understood in it: line ${unread.join(', ')}.`);
  }
  if (ignored.length > 0)
    terminal.print(`Accepted and ignored (cloud settings of InnerEye-Inference): ${ignored.join(', ')}.`);
  terminal.print('docs/reference/configuration.md says what each is for.');
  terminal.document({ file: read.file ?? null, environmentFile: environmentFile ?? null, ignored, settings });
  return undefined;
}
