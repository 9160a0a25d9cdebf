/** The whole REST API v1: every operation of @isocenter/client is implemented here, area by area. */
import type { FastifyInstance } from 'fastify';
import type { Services } from '../services/services.js';
import { accountRoutes } from './account-routes.js';
import { administrationRoutes } from './administration-routes.js';
import { feedbackRoutes } from './feedback-routes.js';
import { jobRoutes } from './job-routes.js';
import { modelRoutes } from './model-routes.js';
import { resultRoutes } from './result-routes.js';
import { studyRoutes } from './study-routes.js';

export function restRoutes(app: FastifyInstance, parts: Services): void {
  modelRoutes(app, parts);
  jobRoutes(app, parts);
  resultRoutes(app, parts);
  studyRoutes(app, parts);
  feedbackRoutes(app, parts);
  accountRoutes(app, parts);
  administrationRoutes(app, parts);
}
