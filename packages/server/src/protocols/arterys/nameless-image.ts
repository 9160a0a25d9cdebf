/** An image that nothing can refer to: answers name images and series by their UIDs. */
import { ArterysError } from './arterys-error.js';

/** `index`: of the part, the JSON being 0. */
export function namelessImage(index: number): ArterysError {
  return new ArterysError('no-images', 'An image has no SOP Instance UID or no Series Instance UID', {
    where: `part ${index}`,
    next: 'Export it again, or de-identify with a tool that replaces UIDs.',
  });
}
