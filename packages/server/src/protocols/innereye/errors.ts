/**
 * The one function from errors to InnerEye's words (specs/protocols.md 1.4): keys in alphabetical order, a line end, and a
 * reason phrase, since the Gateway shows its users nothing else. Each answer is made anew: upstream's shared objects let one
 * error's extra_details stand in the next.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ProblemDocument } from '../../http/problem.js';
import type { Refusal } from '../../http/routes-table.js';
import type { Job } from '../../jobs/job.js';
import { JSON_TYPE } from './messages.js';
import { HEADER, secretOf } from './secret.js';

export type ExtraDetails = 'InvalidModelId' | 'InvalidRunId' | 'InvalidZipFile' | 'RunCancelled';

/** Names of Python's http.HTTPStatus for what this server can answer. */
const CODES: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'REQUEST_TIMEOUT',
  413: 'REQUEST_ENTITY_TOO_LARGE',
  414: 'REQUEST_URI_TOO_LONG',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  416: 'REQUESTED_RANGE_NOT_SATISFIABLE',
  421: 'MISDIRECTED_REQUEST',
  429: 'TOO_MANY_REQUESTS',
  431: 'REQUEST_HEADER_FIELDS_TOO_LARGE',
  500: 'INTERNAL_SERVER_ERROR',
  503: 'SERVICE_UNAVAILABLE',
  507: 'INSUFFICIENT_STORAGE',
};
const TITLES: Readonly<Record<number, string>> = {
  401: 'NoAuthenticationInformation',
  403: 'AuthenticationFailed',
  404: 'ResourceNotFound',
};
const FAULT = 500;
const LONGEST_REASON = 160;

export function errorAnswer(status: number, detail: string, extra?: ExtraDetails): Refusal {
  const server = status >= FAULT;
  const document = {
    code: CODES[status] ?? (server ? CODES[FAULT] : CODES[400]),
    detail,
    ...(extra === undefined ? {} : { extra_details: extra }),
    status,
    title: TITLES[status] ?? (server ? 'InternalError' : 'InvalidInput'),
  };
  return { status, mediaType: JSON_TYPE, body: Buffer.from(`${JSON.stringify(document)}\n`), reason: reasonOf(detail) };
}

/** A line of visible ASCII. */
function reasonOf(detail: string): string {
  return detail.replace(/[^\x20-\x7e]+/g, ' ').slice(0, LONGEST_REASON);
}

const EXTRAS: Readonly<Record<string, ExtraDetails>> = {
  'unknown-model': 'InvalidModelId',
  'unknown-run': 'InvalidRunId',
};

/** For `config.refuse`: also of what fails before the handler. */
export function refuse(problem: ProblemDocument, request: FastifyRequest): Refusal {
  const { status, kind } = problem;
  if (status === 401)
    return secretOf(request) === undefined
      ? errorAnswer(401, `The header ${HEADER} is missing`)
      : errorAnswer(403, `The header ${HEADER} does not hold the right secret`);
  if (status === 403) return errorAnswer(403, `${problem.detail} (header ${HEADER})`);
  // A model that is there and cannot be used: upstream's tag was missing then, which answered 500.
  if (kind === 'model-not-usable') return errorAnswer(FAULT, detailOf(problem));
  return errorAnswer(status, detailOf(problem), EXTRAS[kind]);
}

/** Of a run that gave no result. */
export function runError({ state, failure }: Pick<Job, 'state' | 'failure'>): Refusal {
  if (state === 'cancelled') return errorAnswer(FAULT, 'The run was cancelled', 'RunCancelled');
  const detail = failure === undefined ? 'The run failed' : detailOf({ detail: failure.message, next: failure.next });
  return failure?.kind === 'bad-archive' ? errorAnswer(400, detail, 'InvalidZipFile') : errorAnswer(FAULT, detail);
}

function detailOf({ detail, next }: Pick<ProblemDocument, 'detail' | 'next'>): string {
  const sentence = /[.!?]$/.test(detail) ? detail : `${detail}.`;
  return next === undefined ? sentence : `${sentence} ${next}`;
}

export function sendError(reply: FastifyReply, { status, mediaType, body, reason }: Refusal): FastifyReply {
  if (reason !== undefined) reply.raw.statusMessage = reason;
  return reply.code(status).header('content-type', mediaType).send(body);
}
