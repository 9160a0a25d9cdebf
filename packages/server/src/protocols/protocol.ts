/**
 * A protocol that clients speak to us over HTTP (@port). To add one: a folder beside this file whose routes.ts registers its
 * routes, each with `config.access` (http/access.ts), and a line in `list.ts`. Nothing behind it knows who asked.
 * protocol.suite.ts holds what each of them promises.
 */
import type { FastifyInstance } from 'fastify';
import type { DiskSpace } from '../blobs/disk-space.js';
import type { JobHandler } from '../jobs/job-handler.js';
import type { ModelRunParts } from '../jobs/model-run.js';
import type { Registry } from '../registry/registry.js';
import type { Services } from '../services/services.js';

/** What a worker has. */
export interface WorkerParts extends ModelRunParts {
  readonly registry: Pick<Registry, 'materialise' | 'version' | 'family' | 'protobuf'>;
  /** Of the disk of the work folder: asked before more is written there than a body brought. */
  readonly workSpace: DiskSpace;
}

export interface Protocol {
  /** Key in the setting `protocols`, door of its networks, and `protocol` of the jobs it makes. */
  readonly name: string;
  /** Registers the routes on the main port's app, or on that of the protocol's own port. */
  serve(app: FastifyInstance, services: Services): void;
  /** Work that only its jobs have; every worker, also one on another machine, gets them. */
  handlers?(parts: WorkerParts): readonly JobHandler[];
}
