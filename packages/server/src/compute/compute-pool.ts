/**
 * The port of where models run: warm child processes, one per model, that take whole tasks (a file in, result files
 * out), so that neither pixels nor networks ever touch the event loop of the server.
 */
import type { PredictFormat } from '@isocenter/engine';
import type { Watch } from '@isocenter/volume';

/** A bundle that is unpacked on this machine, with its hash already checked. */
export interface ModelRef {
  /** `name:version`, for people and metrics. */
  readonly address: string;
  /** Folder of the unpacked bundle. */
  readonly folder: string;
  /** Tells versions of the same address apart: the SHA-256 of the bundle. */
  readonly sha256: string;
}

/** Options of the engine's segmentStudy that may cross to a child as JSON. */
export interface SegmentWish {
  readonly formats: readonly string[] | 'default';
  readonly series?: string;
  readonly holes?: 'keyhole' | 'even-odd' | 'separate';
  readonly profile?: 'strict' | 'innereye';
  readonly segType?: 'binary' | 'labelmap';
  readonly inset?: boolean;
  readonly label?: string;
  readonly requireExact?: boolean;
  readonly ignoreDamaged?: boolean;
  readonly longestRun?: boolean;
  /** How series that fit equally well are decided; 'first' for clients that cannot be asked. */
  readonly ties?: 'refuse' | 'first';
  readonly stem?: string;
  /** `archive`: anything but a zip or tar is refused. */
  readonly expect?: 'any' | 'archive';
  /** Files of one name in different folders are refused, unless folders tell channels apart. */
  readonly uniqueNames?: boolean;
  /** The file of the input holds no values: for models that look at the grid alone, and masks. */
  readonly gridOnly?: boolean;
  /** Software Versions of the profile 'innereye', where the client knows the model by another id. */
  readonly modelId?: string;
}

/** The same for predictStudy. */
export interface PredictWish extends Pick<SegmentWish, 'series' | 'ignoreDamaged' | 'longestRun' | 'ties'> {
  /** None: only the report. */
  readonly formats: readonly PredictFormat[];
}

interface TaskParts {
  readonly model: ModelRef;
  /** A zip (or tar, DICOM, NIfTI, NRRD file) on this machine. */
  readonly inputPath: string;
  /** Exists and is empty; the files of the result are written here. */
  readonly outputFolder: string;
  /** Same UID and time: same bytes. */
  readonly runUID: string;
  readonly now: string;
}

export interface SegmentTask extends TaskParts {
  readonly kind: 'segment';
  readonly wish: SegmentWish;
}

/** Classes or values, by a model that segments nothing. */
export interface PredictTask extends TaskParts {
  readonly kind: 'predict';
  readonly wish: PredictWish;
}

export type ComputeTask = SegmentTask | PredictTask;

export interface TaskLimits {
  readonly memoryBytes?: number;
  readonly timeMs?: number;
  /** Longest waiting for a free child; over it ComputeError `busy` (HTTP: 503 + Retry-After). Default: wait. */
  readonly waitMs?: number;
  /** Of those that wait, who has the higher number is next; equal ones in the order of coming. Default 0. */
  readonly priority?: number;
}

/** The engine's SegmentReport or PredictReport without paths, and what the run took. */
export interface TaskAnswer {
  readonly report: unknown;
  /** Names of the files in the output folder. */
  readonly files: readonly string[];
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  /** The child was already warm with this model. */
  readonly warm: boolean;
}

export interface Forecast {
  readonly neededBytes: number;
  readonly availableBytes: number;
  readonly fits: boolean;
  /** A sentence for people: what needs what, and what was decided. */
  readonly why: string;
}

export interface WarmModel {
  readonly address: string;
  readonly sha256: string;
  readonly state: 'starting' | 'idle' | 'busy';
  readonly pid: number;
  readonly residentBytes: number;
  readonly runs: number;
  readonly lastUsedAt: Date;
}

export interface PoolStatistics {
  /** Tasks that ended with an answer, and with the run's own failure. */
  readonly runs: number;
  readonly failures: number;
  /** Runs that found their model loaded. */
  readonly warmHits: number;
  readonly childrenStarted: number;
  /** Children ended while they had nothing to do, by reason. */
  readonly evictions: Readonly<Record<EvictionReason, number>>;
  /** Children ended in mid-task, by reason. */
  readonly kills: Readonly<Record<'cancelled' | 'time-limit' | 'memory-limit', number>>;
  readonly crashes: number;
  readonly refusals: Readonly<Record<'busy' | 'memory-forecast', number>>;
  /** Seconds that children computed, and that tasks waited for one. */
  readonly runSeconds: number;
  readonly waitSeconds: number;
  readonly waiting: number;
  readonly busy: number;
  readonly idle: number;
  /** Of all children, now. */
  readonly residentBytes: number;
}

/** idle: nothing to do for long; room: another model needed its place or memory; recycled: it had grown; asked: `evict`. */
export type EvictionReason = 'idle' | 'room' | 'recycled' | 'asked';

export interface ComputePool {
  /**
   * Throws what the run throws (ForwardedFailure), ComputeError `busy` (a BusyError with retryAfterSeconds), `memory-forecast` (a ForecastRefusal), `cancelled`,
   * `time-limit`, `memory-limit`, `child-crashed`. After any of these the output folder is empty.
   */
  run(task: ComputeTask, limits?: TaskLimits, watch?: Watch): Promise<TaskAnswer>;
  forecast(task: Pick<ComputeTask, 'model' | 'inputPath'>): Promise<Forecast>;
  /** Starts a child and loads the model, so that the first request is fast. */
  warm(model: ModelRef): Promise<WarmModel>;
  /** Ends idle children of the model; true when there were any. */
  evict(sha256: string): Promise<boolean>;
  models(): readonly WarmModel[];
  /** Counted since the pool was made; for metrics. */
  statistics(): PoolStatistics;
  /** Ends all children; running tasks fail with `cancelled`. */
  close(): Promise<void>;
}
