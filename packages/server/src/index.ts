export type { Actor } from './accounts/actor.js';
export type { AuditAnchor, AuditVerdict } from './audit/audit-trail.js';
export { verifyExport } from './audit/export-log.js';
export { openAuditLog } from './audit/open-audit-log.js';
export type { Configuration, Origin, ReadConfiguration } from './configuration/configuration.js';
export { type DescribedSetting, describeConfiguration } from './configuration/describe-configuration.js';
export {
  ConfigurationError,
  type ConfigurationErrorKind,
  type ConfigurationSources,
  readConfiguration,
} from './configuration/read-configuration.js';
export { createLog, type Log, type LogOptions } from './operations/log.js';
export { backUp, type RestoredServer, restoreServer, withState } from './serve/back-up.js';
export { type RunningServer, type ServerOptions, startServer } from './serve/start-server.js';
export { type RunningWorker, startWorkerProcess } from './serve/start-worker.js';
export type { State } from './state/open-state.js';
