/** The judge itself: each promise, broken in otherwise perfect evidence, is named with its job. */
import { describe, expect, it } from 'vitest';
import type { AcknowledgedJob } from './clients.js';
import type { Evidence } from './evidence.js';
import { judge } from './verdict.js';

const good: AcknowledgedJob = {
  id: 'g',
  tries: 1,
  wanted: {
    input: { name: 'ct', bytes: new Uint8Array(1) },
    model: 'm',
    formats: undefined,
    failure: undefined,
    maxAttempts: 10,
  },
};
const twin: AcknowledgedJob = { ...good, id: 't' };
const bad: AcknowledgedJob = { ...good, id: 'b', wanted: { ...good.wanted, failure: 'truncated' } };

type Change = (evidence: Mutable) => unknown;
type Mutable = {
  -readonly [K in keyof Evidence]: Evidence[K] extends readonly (infer T)[]
    ? { -readonly [F in keyof T]: T[F] }[]
    : Evidence[K];
};

function perfect(): Mutable {
  const job = {
    state: 'succeeded',
    attempts: 1,
    max_attempts: 10,
    message_id: null,
    inputs_kept: false,
    failure: null,
    exact: true,
    idempotency_key: null,
  };
  const file = (id: string) => ({
    job_id: id,
    ordinal: 0,
    name: 'a.nii.gz',
    bytes: '3',
    sha256: 'abc',
    blob_id: `blob of ${id}`,
  });
  const result = (id: string) => ({
    id: `blob of ${id}`,
    key: `k/${id}`,
    purpose: 'result',
    state: 'stored',
    sha256: 'abc',
    due: false,
    owners: [`result ${id}`],
  });
  const object = (id: string) => ({ key: `k/${id}`, bytes: 3, sha256: 'abc' });
  const entry = (action: string, subject_id: string) => ({
    seq: '1',
    action,
    subject_id,
    reason: null as string | null,
  });
  return {
    jobs: [
      { ...job, id: 'g' },
      { ...job, id: 't' },
      { ...job, id: 'b', state: 'failed', exact: null, failure: { kind: 'truncated', message: 'It is cut short' } },
    ],
    files: [file('g'), file('t')],
    blobs: [
      result('g'),
      result('t'),
      { ...result('b'), id: 'u', key: 'k/u', purpose: 'upload', state: 'erased', owners: [] },
    ],
    objects: [object('g'), object('t')],
    entries: [
      ...['g', 't', 'b'].map((id) => entry('job.created', id)),
      entry('job.succeeded', 'g'),
      entry('job.succeeded', 't'),
      entry('job.failed', 'b'),
      entry('images.erased', 'u'),
    ],
    messages: 0,
  };
}

const jobOf = (evidence: Mutable, id: string) => evidence.jobs.find((job) => job.id === id)!;

const broken: readonly (readonly [promise: string, change: Change])[] = [
  ['what was acknowledged is there', (e) => e.jobs.shift()],
  ['a repeated request makes one job', (e) => e.jobs.push({ ...jobOf(e, 'g'), id: 'second' })],
  ['every job ends in a result or a stated failure', (e) => (jobOf(e, 'g').state = 'running')],
  ['a failure has a kind and a message', (e) => (jobOf(e, 'b').failure = { kind: 'truncated' })],
  [
    'good inputs succeed',
    (e) => Object.assign(jobOf(e, 'g'), { state: 'failed', failure: { kind: 'internal', message: '?' } }),
  ],
  ['results are exact', (e) => (jobOf(e, 'g').exact = false)],
  ['bad inputs fail with their own kind', (e) => (jobOf(e, 'b').failure = { kind: 'worker-died', message: '?' })],
  [
    'bad inputs are not tried again',
    (e) => e.entries.push({ seq: '9', action: 'job.requeued', subject_id: 'b', reason: 'truncated' }),
  ],
  ['a result is there', (e) => e.files.shift()],
  ['nothing is delivered twice', (e) => e.files.push({ ...e.files[0]!, ordinal: 1 })],
  [
    'one end stands in the audit log',
    (e) => e.entries.push({ seq: '9', action: 'job.succeeded', subject_id: 'g', reason: null }),
  ],
  ['one beginning stands in the audit log', (e) => e.entries.shift()],
  ['each attempt is accounted for', (e) => (jobOf(e, 'g').attempts = 2)],
  ['an ended job waits in no line', (e) => (jobOf(e, 'g').message_id = 'm')],
  ['the line is empty', (e) => (e.messages = 1)],
  ['no image outlives its job', (e) => (e.blobs[2]!.state = 'stored')],
  ['no result is left over', (e) => e.blobs.push({ ...e.blobs[0]!, id: 'stray', key: 'k/stray' })],
  ['no bytes are left over', (e) => e.objects.push({ key: 'k/u', bytes: 3, sha256: 'abc' })],
  ['results are whole', (e) => (e.objects[0]!.sha256 = 'damaged')],
  ['a result is kept by its job', (e) => (e.blobs[0]!.owners = [])],
  ['each erasing stands once in the audit log', (e) => e.entries.pop()],
  ['equal inputs have equal results', (e) => (e.files[1]!.sha256 = 'other')],
];

describe('the judge of a survival run', () => {
  it('finds nothing in perfect evidence', () => {
    expect(judge([good, twin, bad], perfect())).toEqual([]);
  });

  it.each(broken)('names it when this promise is broken: %s', (promise, change) => {
    const evidence = perfect();
    change(evidence);
    expect(judge([good, twin, bad], evidence).map((violation) => violation.promise)).toContain(promise);
  });
});
