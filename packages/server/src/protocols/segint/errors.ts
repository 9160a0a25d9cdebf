/** What goes wrong in this protocol, and its two ways to say so: BadRequestResponse, and ErrorCode with a text in the progress. */
import { create, toBinary, toJson } from '@bufbuild/protobuf';
import { Failure } from '@isocenter/volume';
import type { FastifyRequest } from 'fastify';
import type { ProblemDocument } from '../../http/problem.js';
import type { Refusal } from '../../http/routes-table.js';
import type { JobFailure } from '../../jobs/job.js';
import {
  BadRequestResponseSchema,
  SegmentationProgress_ErrorCodes as ErrorCodes,
} from '../../registry/segint/messages/Model.generated.js';
import { JSON_TYPE, type Mode, protobufType, wantsProtobuf } from './messages.js';

export type SegintErrorKind =
  | 'wrong-method'
  | 'unknown-model'
  /** Never was, was fetched, belongs to another model or to another client. */
  | 'unknown-job'
  /** Not ended, or ended without one. */
  | 'no-result'
  /** A family of the registry makes no message. */
  | 'cannot-build';

/** Of requests. */
export class SegintError extends Failure<SegintErrorKind> {}

export type SegintJobErrorKind =
  | 'decompression'
  | 'size-mismatch'
  | 'bad-volume'
  | 'wrong-channels'
  /** Strict mode only: the family says that it does not take such images. */
  | 'constraints'
  | 'no-model';

/** Of jobs. */
export class SegintJobError extends Failure<SegintJobErrorKind> {}

/** Faults of what the client sent, beside the two that the protocol has codes of their own for. */
const CLIENT_KINDS = new Set([
  'bad-volume',
  'wrong-channels',
  'constraints',
  'wrong-input',
  'missing-channel',
  'different-space',
  'malformed',
]);

export function errorCodeOf({ kind }: JobFailure): ErrorCodes {
  if (kind === 'decompression') return ErrorCodes.DecompressionError;
  if (kind === 'size-mismatch') return ErrorCodes.DecompressionBufferSizeMismatch;
  return CLIENT_KINDS.has(kind) ? ErrorCodes.UnknownClientError : ErrorCodes.InternalError;
}

/** The old server knew 400 for everything about ids and states, and 403 for methods. */
const COMPAT_STATUS: Readonly<Record<number, number>> = { 404: 400, 405: 403, 409: 400, 410: 400, 422: 400 };

export function refuseAs(mode: Mode): (problem: ProblemDocument, request: FastifyRequest) => Refusal {
  return ({ status, kind, detail, where, next }, request) => {
    const message = create(BadRequestResponseSchema, {
      ErrorMessage: 'Invalid request.',
      ExceptionDetails: [detail, where === undefined ? '' : `[${where}]`, next ?? ''].filter(Boolean).join(' '),
    });
    const binary = wantsProtobuf(request, mode);
    return {
      // 'not-found' is an address that is none, as it was for the old server.
      status: mode === 'compat' && kind !== 'not-found' ? (COMPAT_STATUS[status] ?? status) : status,
      mediaType: binary ? protobufType(mode) : JSON_TYPE,
      body: binary
        ? toBinary(BadRequestResponseSchema, message)
        : JSON.stringify(toJson(BadRequestResponseSchema, message, { useProtoFieldName: true })),
    };
  };
}
