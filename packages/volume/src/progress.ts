/** Progress and cancellation that long work accepts; both optional, neither changes a result. */
export type ReportProgress = (done: number, total: number, step: string) => void;

export interface Watch {
  readonly progress?: ReportProgress;
  readonly signal?: AbortSignal;
}
