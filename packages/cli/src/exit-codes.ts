/** What the process says by its exit status; documented in docs/reference/cli.md. */
export const exitCodes = {
  ok: 0,
  /** A defect of Isocenter: please report it. */
  defect: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** The input cannot be read or is not what the model needs. */
  input: 3,
  /** The model package cannot be loaded or run. */
  model: 4,
  /** The output cannot be written. */
  output: 5,
  /** What was written does not read back as it should, a comparison fell below what was asked, or an answer breaks its rules. */
  proof: 6,
  /** A memory or time limit was reached, or the compute process died. */
  resources: 7,
  /** A server or its database does not answer, refuses, or cannot be started. */
  server: 8,
  /** Ended by Ctrl-C or SIGTERM. */
  cancelled: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
