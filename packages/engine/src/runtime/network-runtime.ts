/** The port of what executes a network (@port). One instance holds one model; calls run one after the other. */
export interface NetworkTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

export interface PortShape {
  readonly name: string;
  /** A number, or the name of a size that may vary. */
  readonly dims: readonly (number | string)[];
  readonly type: string;
}

export interface NetworkRuntime {
  /** What the model wants and gives, in its own order. */
  readonly inputs: readonly PortShape[];
  readonly outputs: readonly PortShape[];
  /** Threads one run uses; fixed when the model was loaded. */
  readonly threads: number;
  /** Tensors by input name in, by output name out. Throws RuntimeFailure on names or shapes that do not fit. */
  run(inputs: Readonly<Record<string, NetworkTensor>>): Promise<Readonly<Record<string, NetworkTensor>>>;
  /** Gives memory back; no run may follow. */
  close(): Promise<void>;
}
