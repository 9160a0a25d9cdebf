/**
 * A protocol that clients speak to us over HTTP (@port): a folder beside this file registers its routes in `serve`, and
 * nothing behind it knows who asked. `list.ts` names them all.
 */
import type { FastifyInstance } from 'fastify';
import type { Services } from '../services/services.js';

export interface Protocol {
  /** Key in the setting `protocols`, door of its networks, and `protocol` of the jobs it makes. */
  readonly name: string;
  /** Registers the routes on the main port's app, or on that of the protocol's own port. */
  serve(app: FastifyInstance, services: Services): void;
}
