/** `isocenter audit …`: the chain of the audit log checked, in the database or in an export. */
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { type AuditAnchor, type AuditVerdict, openAuditLog, verifyExport, withState } from '@isocenter/server';
import { exitCodes } from '../exit-codes.js';
import type { CommandContext } from '../program.js';
import { configurationOf, type ServerOptions } from '../server-options.js';

export async function verifyAuditCommand(
  options: ServerOptions & { readonly input?: string; readonly anchor?: string },
  { terminal, watch }: CommandContext,
): Promise<number> {
  const anchor = options.anchor === undefined ? undefined : await readAnchor(options.anchor);
  const with_ = anchor === undefined ? {} : { anchor };
  const verdict: AuditVerdict =
    options.input === undefined
      ? await withState(configurationOf(options).values, ({ db }) =>
          openAuditLog({ db }).verify({ ...with_, ...(watch.signal ? { signal: watch.signal } : {}) }),
        )
      : await verifyExport(createReadStream(options.input), with_);
  const { checked, problem } = verdict;
  if (problem) terminal.print(`NOT INTACT: entry ${problem.seq} is ${problem.kind}. ${problem.message}`);
  else terminal.print(`intact: ${checked} entries`);
  if (!problem && verdict.anchor)
    terminal.print(`Keep this elsewhere, as a file for --anchor:\n${JSON.stringify(verdict.anchor)}`);
  terminal.document(verdict);
  return problem ? exitCodes.proof : exitCodes.ok;
}

/** The file holds what `audit verify` prints, or is an export, whose last line carries the same. */
async function readAnchor(file: string): Promise<AuditAnchor> {
  const text = (await readFile(file, 'utf8')).trim();
  const lines = text.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  const [first, last] = [lines[0], lines[lines.length - 1]];
  return { logId: String(first.logId), seq: Number(last.seq), hash: String(last.hash) };
}

export async function exportAuditCommand(
  options: ServerOptions & { readonly file: string },
  { terminal, watch }: CommandContext,
): Promise<undefined> {
  const part = `${options.file}.part`;
  const anchor = await withState(configurationOf(options).values, async ({ db }) => {
    const stream = createWriteStream(part, { mode: 0o600 });
    try {
      const head = await openAuditLog({ db }).exportTo(stream, watch.signal ? { signal: watch.signal } : {});
      stream.end();
      await finished(stream);
      await rename(part, options.file);
      return head;
    } catch (error) {
      stream.destroy();
      await rm(part, { force: true });
      throw error;
    }
  });
  terminal.print(`${options.file}: ${anchor.seq} entries`);
  terminal.document({ file: options.file, anchor });
  return undefined;
}
