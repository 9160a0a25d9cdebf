/** Small bodies that may come from an HTML form or from a program as JSON. */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { hasBody, readBody } from './body.js';
import type { HttpContext } from './context.js';
import { HttpError } from './http-error.js';
import { parseJson } from './json-body.js';
import { mediaTypeOf } from './upload.js';
import { validate } from './validation.js';

const FORM = 'application/x-www-form-urlencoded';
/** A token, a name and a password. */
const FORM_BYTES = 16 * 1024;

export function isForm(request: FastifyRequest): boolean {
  return mediaTypeOf(request) === FORM;
}

/** Throws HttpError `validation`, `unsupported-media-type`, and what reading throws. */
export async function smallBody<S extends z.ZodType>(
  { limits }: HttpContext,
  request: FastifyRequest,
  schema: S,
): Promise<z.output<S>> {
  const type = mediaTypeOf(request);
  if (!hasBody(request.raw)) throw new HttpError('empty-body', 'The request has no body');
  if (type !== FORM && type !== 'application/json')
    throw new HttpError('unsupported-media-type', 'This address takes a form or JSON');
  const bytes = await readBody(request.raw, { limits, maximumBytes: FORM_BYTES, deadlineMs: limits.bodyMs });
  const value =
    type === FORM
      ? Object.fromEntries(new URLSearchParams(Buffer.from(bytes).toString('utf8')))
      : parseJson(bytes, limits.jsonDepth);
  return validate(schema, value, 'body');
}
