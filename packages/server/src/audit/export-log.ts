/**
 * The log as NDJSON that proves itself without a database: a line that says which log and from where, one line per
 * entry, and a line that says where the chain ended (docs/reference/audit.md). `verifyExport` reads it back.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { AuditError } from './audit-error.js';
import type { AuditAnchor, AuditVerdict, ChainedEntry } from './audit-trail.js';
import { ChainWalk } from './chain-walk.js';
import { FORMAT, firstHash, HASH_BYTES } from './entry-bytes.js';

/** A line holds one entry, whose fields are limited; a longer one is not ours. */
const MAXIMUM_LINE = 200_000;

export async function writeExport(
  stream: Writable,
  start: { readonly logId: string; readonly seq: number; readonly hash: Uint8Array },
  entries: AsyncIterable<ChainedEntry>,
): Promise<AuditAnchor> {
  const write = async (line: object): Promise<void> => {
    if (stream.destroyed) throw new AuditError('cancelled', 'The stream of the audit export was closed before its end');
    if (!stream.write(`${JSON.stringify(line)}\n`)) await drained(stream);
  };
  let [seq, hash] = [start.seq, hex(start.hash)];
  await write({ type: 'start', format: FORMAT, logId: start.logId, after: seq, hash });
  for await (const entry of entries) {
    const { digest, previous, at, ...fields } = entry;
    [seq, hash] = [entry.seq, hex(entry.hash)];
    await write({ type: 'entry', ...fields, at: at.toISOString(), digest: hex(digest), previous: hex(previous), hash });
  }
  await write({ type: 'end', seq, hash });
  return { logId: start.logId, seq, hash };
}

/** Checks an export by itself, and against an anchor if there is one. Memory does not grow with it; never throws for its contents. */
export async function verifyExport(
  source: Readable,
  options: { readonly anchor?: AuditAnchor } = {},
): Promise<AuditVerdict> {
  let walk: ChainWalk | undefined;
  let ended = false;
  let lineNumber = 0;
  const verdict = (problem: AuditVerdict['problem']): AuditVerdict => ({
    checked: walk?.checked ?? 0,
    anchor: walk && walk.anchor.seq > 0 ? walk.anchor : undefined,
    problem,
  });
  const malformed = (what: string): AuditVerdict =>
    verdict({ kind: 'malformed', seq: (walk?.anchor.seq ?? 0) + 1, message: `Line ${lineNumber} ${what}` });

  for await (const line of createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })) {
    lineNumber += 1;
    if (ended) return malformed('stands behind the end of the export');
    const parsed = line.length > MAXIMUM_LINE ? undefined : parseLine(line);
    if (!parsed) return malformed('is not a line of an audit export');
    let problem: AuditVerdict['problem'];
    if (parsed.type === 'start') {
      if (walk) return malformed('starts a second export');
      if (parsed.seq === 0 && !firstHash(parsed.logId).equals(parsed.hash))
        return malformed('does not carry the first hash of its log');
      walk = new ChainWalk({ ...parsed, anchor: options.anchor });
      problem = walk.begin();
    } else if (!walk) return malformed('stands before the start of the export');
    else if (parsed.type === 'entry') problem = walk.take(parsed.entry);
    else {
      ended = true;
      problem = walk.end(parsed);
    }
    if (problem) return verdict(problem);
  }
  if (walk && ended) return verdict(undefined);
  return verdict({
    kind: 'truncated',
    seq: (walk?.anchor.seq ?? 0) + 1,
    message: 'The export breaks off: its end line is missing',
  });
}

type Line =
  | { readonly type: 'start'; readonly logId: string; readonly seq: number; readonly hash: Buffer }
  | { readonly type: 'entry'; readonly entry: ChainedEntry }
  | { readonly type: 'end'; readonly seq: number; readonly hash: Buffer };

function parseLine(line: string): Line | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const [hash, seq] = [bytes(value.hash), value.type === 'start' ? value.after : value.seq];
  if (!hash || typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) return undefined;
  if (value.type === 'end') return { type: 'end', seq, hash };
  if (value.type === 'start') {
    if (value.format !== FORMAT || typeof value.logId !== 'string') return undefined;
    return { type: 'start', logId: value.logId, seq, hash };
  }
  return value.type === 'entry' ? parseEntry(value, seq, hash) : undefined;
}

const texts = ['actorKind', 'actorId', 'actorName', 'action', 'subjectKind', 'subjectId'] as const;
const optionalTexts = ['reason', 'details', 'requestId'] as const;

function parseEntry(value: Record<string, unknown>, seq: number, hash: Buffer): Line | undefined {
  const [digest, previous] = [bytes(value.digest), bytes(value.previous)];
  const sound =
    digest &&
    previous &&
    typeof value.at === 'string' &&
    texts.every((name) => typeof value[name] === 'string') &&
    optionalTexts.every((name) => value[name] === undefined || typeof value[name] === 'string');
  if (!sound) return undefined;
  const at = new Date(value.at as string);
  // A time that reads the same but is spelt otherwise would be hashed as ours.
  if (Number.isNaN(at.getTime()) || at.toISOString() !== value.at) return undefined;
  return { type: 'entry', entry: { ...(value as unknown as ChainedEntry), at, seq, digest, previous, hash } };
}

function bytes(value: unknown): Buffer | undefined {
  if (typeof value !== 'string' || value.length !== HASH_BYTES * 2 || !/^[0-9a-f]+$/.test(value)) return undefined;
  return Buffer.from(value, 'hex');
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex');
}

/** Resolves when more may be written; rejects when the other side went away meanwhile. */
async function drained(stream: Writable): Promise<void> {
  const gone = new AbortController();
  const closed = once(stream, 'close', { signal: gone.signal }).then(
    () => {
      throw new AuditError('cancelled', 'The stream of the audit export was closed before its end');
    },
    () => undefined,
  );
  try {
    await Promise.race([once(stream, 'drain', { signal: gone.signal }), closed]);
  } finally {
    gone.abort();
  }
}
