/** What the REST API itself refuses; everything else comes from the areas it calls. */
import { Failure } from '@isocenter/volume';

export type RestErrorKind =
  /** No such job, model, file, user … or not for this caller. */
  | 'not-found'
  /** The format refers to the images, which are gone: it must be asked for with the job. */
  | 'needs-images'
  /** The job has no result, or not yet. */
  | 'no-result'
  /** The model cannot be asked about a study. */
  | 'model-not-usable'
  | 'priority-not-allowed'
  /** The setting is fixed where the server was started. */
  | 'not-changeable'
  /** As many exports lie on the disk as may. */
  | 'busy'
  | 'bad-form'
  | 'bad-value';

export class RestError extends Failure<RestErrorKind> {}

export function notFound(what: string, next?: string): RestError {
  return new RestError('not-found', `There is no such ${what}`, {
    where: what,
    ...(next === undefined ? {} : { next }),
  });
}
