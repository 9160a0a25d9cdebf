/** What jobs tell the operator; pino's loggers fit. Ids and kinds only, never texts of a client. */
export interface JobsLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export const silentLog: JobsLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
