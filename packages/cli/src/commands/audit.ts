/** `isocenter audit …`: the chain of the audit log checked, in the database or in an export. */
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { type AuditAnchor, type AuditVerdict, openAuditLog, verifyExport, withState } from '@isocenter/server';
import { Failure } from '@isocenter/volume';
import { exitCodes } from '../exit-codes.js';
import type { CommandContext } from '../program.js';
import { readText } from '../remote/read-json.js';
import { configurationOf, type ServerOptions } from '../server-options.js';

export class AnchorError extends Failure<'no-anchor'> {}

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
  const lines = (await readText(file, '--anchor')).split('\n').filter((line) => line.startsWith('{'));
  const [first, last] = [safeJson(lines[0]), safeJson(lines[lines.length - 1])];
  if (typeof first?.logId === 'string' && typeof last?.seq === 'number' && typeof last.hash === 'string')
    return { logId: first.logId, seq: last.seq, hash: last.hash };
  throw new AnchorError('no-anchor', 'This file holds no anchor', {
    where: `--anchor ${file}`,
    next: 'Give what `isocenter audit verify` printed, or an export.',
  });
}

function safeJson(text: string | undefined): Record<string, unknown> | undefined {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

export async function exportAuditCommand(
  options: ServerOptions & { readonly file: string },
  { terminal, watch }: CommandContext,
): Promise<undefined> {
  // A name that nobody can have prepared: the log tells who did what.
  const part = `${options.file}.${randomBytes(6).toString('hex')}.part`;
  const anchor = await withState(configurationOf(options).values, async ({ db }) => {
    const stream = createWriteStream(part, { mode: 0o600, flags: 'wx' });
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
