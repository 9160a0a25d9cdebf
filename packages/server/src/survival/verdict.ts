/** The promises, each held against the evidence. Every broken one is a violation with the id of its job. */
import type { AcknowledgedJob } from './clients.js';
import type { Evidence, SeenEntry, SeenFile, SeenJob } from './evidence.js';

export interface Violation {
  readonly promise: string;
  readonly job?: string | undefined;
  readonly found: string;
}

/** What a job that may be tried once says when its process is killed. */
const KILLED = ['worker-died', 'child-crashed', 'not-recorded', 'unavailable', 'store-unavailable', 'cancelled'];

export function judge(acknowledged: readonly AcknowledgedJob[], evidence: Evidence): readonly Violation[] {
  const violations: Violation[] = [];
  const break_ = (promise: string, found: string, job?: string) => violations.push({ promise, found, job });
  const jobs = new Map(evidence.jobs.map((job) => [job.id, job]));
  const files = grouped(evidence.files, ({ job_id }) => job_id);
  const entries = grouped(evidence.entries, ({ subject_id }) => subject_id);
  for (const { id, wanted } of acknowledged) {
    const job = jobs.get(id);
    if (!job) break_('what was acknowledged is there', 'no such row', id);
    else
      for (const [promise, found] of faultsOf(job, wanted, files.get(id) ?? [], entries.get(id) ?? []))
        break_(promise, found, id);
  }
  const known = new Set(acknowledged.map(({ id }) => id));
  for (const { id, state } of evidence.jobs)
    if (!known.has(id)) break_('a repeated request makes one job', `a ${state} job that nobody was told of`, id);
  if (evidence.messages > 0) break_('the line is empty', `${evidence.messages} messages are left`);
  for (const [promise, found] of faultsOfBytes(evidence)) break_(promise, found);
  for (const [promise, found] of unequalResults(acknowledged, files)) break_(promise, found);
  return violations;
}

type Fault = readonly [promise: string, found: string];

function faultsOf(
  job: SeenJob,
  { failure, maxAttempts }: AcknowledgedJob['wanted'],
  files: readonly SeenFile[],
  entries: readonly SeenEntry[],
): readonly Fault[] {
  const faults: Fault[] = [];
  const count = (action: string) => entries.filter((entry) => entry.action === action).length;
  const kind = job.failure?.kind;
  if (job.state !== 'succeeded' && job.state !== 'failed')
    faults.push(['every job ends in a result or a stated failure', `it is ${job.state}`]);
  if (job.state === 'failed' && !(kind && job.failure?.message))
    faults.push(['a failure has a kind and a message', JSON.stringify(job.failure)]);
  const killed = maxAttempts === 1 && job.state === 'failed' && KILLED.includes(kind ?? '');
  if (failure === undefined) {
    if (job.state === 'failed' && !killed) faults.push(['good inputs succeed', `${kind}: ${job.failure?.message}`]);
    if (job.state === 'succeeded' && job.exact !== true) faults.push(['results are exact', `exact is ${job.exact}`]);
  } else {
    if (job.state === 'succeeded' || kind !== failure)
      faults.push(['bad inputs fail with their own kind', `${job.state} ${kind ?? ''} instead of ${failure}`]);
    if (entries.some(({ action, reason }) => action === 'job.requeued' && reason === failure))
      faults.push(['bad inputs are not tried again', `it was, because of ${failure}`]);
  }
  if (job.state === 'succeeded' && files.length === 0) faults.push(['a result is there', 'it has no files']);
  if (job.state !== 'succeeded' && files.length > 0)
    faults.push(['only what succeeded is delivered', `${files.length} files`]);
  if (files.some(({ ordinal }, n) => ordinal !== n) || new Set(files.map(({ name }) => name)).size !== files.length)
    faults.push(['nothing is delivered twice', `files ${files.map(({ ordinal, name }) => `${ordinal} ${name}`)}`]);
  const ends = ['job.succeeded', 'job.failed', 'job.cancelled']
    .map((action) => `${action} ${count(action)}`)
    .join(', ');
  if (count(`job.${job.state}`) !== 1 || count('job.succeeded') + count('job.failed') + count('job.cancelled') !== 1)
    faults.push(['one end stands in the audit log', ends]);
  if (count('job.created') !== 1) faults.push(['one beginning stands in the audit log', `${count('job.created')}`]);
  if (job.attempts > 1 + count('job.requeued') || job.attempts < 1)
    faults.push(['each attempt is accounted for', `${job.attempts} attempts, ${count('job.requeued')} times again`]);
  if (job.attempts > job.max_attempts) faults.push(['attempts have an end', `${job.attempts} of ${job.max_attempts}`]);
  if (job.message_id !== null) faults.push(['an ended job waits in no line', `message ${job.message_id}`]);
  if (job.inputs_kept) faults.push(['no image outlives its job', 'the job keeps its input']);
  return faults;
}

/** Rows of blobs against owners, files of jobs, and the objects that are really there. */
function faultsOfBytes({ blobs, files, objects, entries }: Evidence): readonly Fault[] {
  const faults: Fault[] = [];
  const byId = new Map(blobs.map((blob) => [blob.id, blob]));
  const byKey = new Map(blobs.map((blob) => [blob.key, blob]));
  const stored = new Map(objects.map((object) => [object.key, object]));
  const erasures = grouped(
    entries.filter(({ action }) => action.endsWith('.erased')),
    ({ subject_id }) => subject_id,
  );
  const delivered = new Set(files.map(({ blob_id }) => blob_id));
  if (delivered.size !== files.length) faults.push(['nothing is delivered twice', 'two files share one blob']);
  for (const { job_id, blob_id, name, sha256, bytes } of files) {
    const blob = byId.get(blob_id);
    const object = blob && stored.get(blob.key);
    if (blob?.state !== 'stored' || blob.owners.join() !== `result ${job_id}` || blob.due)
      faults.push(['a result is kept by its job', `${name} of ${job_id}: ${JSON.stringify(blob)}`]);
    if (object?.sha256 !== sha256 || object.bytes !== Number(bytes))
      faults.push(['results are whole', `${name} of ${job_id} ${object ? 'has other bytes' : 'is gone'}`]);
  }
  for (const { id, purpose, state, owners } of blobs) {
    const images = purpose === 'upload' || purpose === 'study';
    if (images && state !== 'erased')
      faults.push(['no image outlives its job', `blob ${id} is ${state}, kept by ${owners.join() || 'nobody'}`]);
    if (purpose === 'result' && state !== 'erased' && !delivered.has(id))
      faults.push(['no result is left over', `blob ${id} is ${state}, kept by ${owners.join() || 'nobody'}`]);
    if (state === 'erased' && erasures.get(id)?.length !== 1)
      faults.push(['each erasing stands once in the audit log', `blob ${id} (${purpose})`]);
  }
  for (const key of stored.keys())
    if (byKey.get(key)?.state !== 'stored') faults.push(['no bytes are left over', `object ${key}`]);
  return faults;
}

/** Equal bytes to the same model: equal label maps, whatever was killed on the way. (RTSTRUCT and SEG name their run.) */
function unequalResults(
  acknowledged: readonly AcknowledgedJob[],
  files: ReadonlyMap<string, readonly SeenFile[]>,
): readonly Fault[] {
  const answers = new Map<string, Map<string, string[]>>();
  for (const { id, wanted } of acknowledged) {
    const maps = (files.get(id) ?? []).filter(({ name }) => name.endsWith('.nii.gz'));
    if (maps.length === 0) continue;
    const question = `${wanted.input.name} to ${wanted.model}`;
    const answer = maps.map(({ name, sha256 }) => `${name} ${sha256}`).join();
    const found = answers.get(question) ?? new Map<string, string[]>();
    found.set(answer, [...(found.get(answer) ?? []), id]);
    answers.set(question, found);
  }
  return [...answers]
    .filter(([, found]) => found.size > 1)
    .map(([question, found]) => [
      'equal inputs have equal results',
      `${question}: ${[...found.values()].map((ids) => ids.join(' ')).join(' differ from ')}`,
    ]);
}

function grouped<T>(list: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
