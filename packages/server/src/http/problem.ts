/**
 * The HTTP border's one function from any error to a problem document (RFC 9457). What is a Failure speaks for itself;
 * of anything else only the request id goes out.
 */
import { type Failure, isFailure } from '@isocenter/volume';
import type { FieldFault } from './http-error.js';
import { HttpError } from './http-error.js';
import { problemTable, type StatusRule, titles } from './problem-table.js';

export const PROBLEM_TYPE = 'application/problem+json';

export interface ProblemDocument {
  /** Reference to a page of this server that explains the kind. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The request's id: what the log knows it by. */
  readonly instance: string;
  readonly requestId: string;
  readonly kind: string;
  readonly where?: string;
  readonly next?: string;
  readonly fields?: readonly FieldFault[];
}

export interface Problem {
  readonly document: ProblemDocument;
  readonly headers: Readonly<Record<string, string>>;
  /** Nobody outside can do anything about it: to be logged with its stack. */
  readonly defect: boolean;
}

/** Statuses of 500 and above whose text helps the client; the others say no more than the id. */
const SPEAKING = new Set([502, 503, 507]);
const DEFECT_STATUS = 500;

export function problemOf(error: unknown, requestId: string): Problem {
  const failure = isFailure(error) ? error : frameworkFailure(error);
  const known = failure === undefined ? undefined : ruleOf(failure);
  if (failure === undefined || known === undefined) return defect(requestId);
  if (known.rule.status >= DEFECT_STATUS && !SPEAKING.has(known.rule.status)) return defect(requestId);
  const { status } = known.rule;
  return {
    document: {
      type: `/problems/${known.area}/${failure.kind}`,
      title: titles[status] ?? 'The request failed',
      status,
      detail: failure.message,
      instance: requestId,
      requestId,
      kind: failure.kind,
      ...(failure.where === undefined ? {} : { where: failure.where }),
      ...(failure.next === undefined ? {} : { next: failure.next }),
      ...(failure instanceof HttpError && failure.fields !== undefined ? { fields: failure.fields } : {}),
    },
    headers: { ...(failure instanceof HttpError ? failure.headers : {}), ...retryAfter(failure, known.rule) },
    defect: false,
  };
}

function defect(requestId: string): Problem {
  return {
    document: {
      type: '/problems/defect/defect',
      title: titles[DEFECT_STATUS] as string,
      status: DEFECT_STATUS,
      detail: 'The server met a fault of its own; nothing was wrong with the request',
      instance: requestId,
      requestId,
      kind: 'defect',
      next: 'Tell the administrator the id in `instance`; the log has the rest under it.',
    },
    headers: {},
    defect: true,
  };
}

function ruleOf(failure: Failure): { readonly area: string; readonly rule: StatusRule } | undefined {
  if (!Object.hasOwn(problemTable, failure.name)) return undefined;
  const ofClass = problemTable[failure.name]!;
  const ofKind =
    ofClass.kinds !== undefined && Object.hasOwn(ofClass.kinds, failure.kind) ? ofClass.kinds[failure.kind] : undefined;
  return { area: ofClass.area, rule: ofKind ?? ofClass };
}

function retryAfter(failure: Failure, rule: StatusRule): Record<string, string> {
  const own: unknown = (failure as { readonly retryAfterSeconds?: unknown }).retryAfterSeconds;
  const seconds =
    typeof own === 'number' && Number.isFinite(own) ? Math.max(1, Math.ceil(own)) : rule.retryAfterSeconds;
  return seconds === undefined ? {} : { 'retry-after': String(seconds) };
}

/** What Fastify and Node refuse themselves, in our words. */
function frameworkFailure(error: unknown): HttpError | undefined {
  switch ((error as NodeJS.ErrnoException | undefined)?.code) {
    case 'FST_ERR_BAD_URL':
      return new HttpError('bad-path', 'The address holds a percent sign that is not followed by two hex digits');
    case 'FST_ERR_INVALID_URL':
      return new HttpError('bad-path', 'This is not an address');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new HttpError('path-too-long', 'A part of the address is longer than anything here is named');
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HttpError('too-large', 'The body is larger than this address takes');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new HttpError('unsupported-media-type', 'This address does not take bodies of this type');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new HttpError('bad-request', 'The body is not as long as its Content-Length says');
    case 'HPE_HEADER_OVERFLOW':
      return new HttpError('headers-too-large', 'The header lines together are larger than this server reads');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new HttpError('too-large', 'The chunk extensions are larger than this server reads');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpError('timeout', 'The request did not arrive in time');
    default:
      return undefined;
  }
}
