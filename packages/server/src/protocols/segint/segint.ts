/** SegInt-R (specs/protocols.md §3) as one of our protocols. */
import type { Protocol } from '../protocol.js';
import { SEGINT, segintHandler } from './job-handler.js';
import { segintRoutes } from './routes.js';

export const segint: Protocol = {
  name: SEGINT,
  serve: segintRoutes,
  handlers: (parts) => [segintHandler(parts)],
};
