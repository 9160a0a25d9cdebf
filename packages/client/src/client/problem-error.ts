/** A refusal of the server, or an answer that is none of ours, as an error with kind, place and next step. */
import { type Problem, problem } from '../operations/common.js';

/** Kinds of the client itself, beside those that the server sends. */
export type ClientProblemKind =
  /** The answer is not what the operation promises: another program answers, or one much older or newer. */
  | 'unexpected-answer'
  /** No answer: the server is not there, or the network is not. */
  | 'unreachable';

export class ProblemError extends Error {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly kind: string;
  readonly where: string | undefined;
  readonly next: string | undefined;
  /** What the log of the server knows the request by. */
  readonly requestId: string | undefined;
  /** Of a request that does not fit its schema. */
  readonly fields: readonly { readonly path: string; readonly fault: string }[];
  /** From `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    fields: Pick<Problem, 'status' | 'kind' | 'where' | 'next' | 'instance' | 'fields'> & { readonly message: string },
    more: { readonly retryAfterSeconds?: number; readonly cause?: unknown } = {},
  ) {
    super(fields.message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ProblemError';
    this.status = fields.status;
    this.kind = fields.kind;
    this.where = fields.where;
    this.next = fields.next;
    this.requestId = fields.instance;
    this.fields = fields.fields ?? [];
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export async function problemOf(response: Response): Promise<ProblemError> {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const more = Number.isFinite(retryAfter) ? { retryAfterSeconds: retryAfter } : {};
  const body: unknown = await response.json().catch(() => undefined);
  const told = toldProblem(body, more);
  if (told) return told;
  return new ProblemError(
    {
      status: response.status,
      kind: 'unexpected-answer',
      message: `HTTP ${response.status} without a problem description`,
      where: new URL(response.url || 'http://unknown').host,
      next: 'Check that the address is that of an Isocenter server, and what a proxy between says.',
    },
    more,
  );
}

/** A problem document as an error; undefined when it is none. */
export function toldProblem(
  document: unknown,
  more: { readonly retryAfterSeconds?: number } = {},
): ProblemError | undefined {
  const told = problem.safeParse(document);
  if (told.success) return new ProblemError({ ...told.data, message: told.data.detail ?? told.data.title }, more);
  return undefined;
}
