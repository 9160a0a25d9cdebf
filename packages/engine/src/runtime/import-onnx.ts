/**
 * The one door to ONNX Runtime. Its Linux builds, as they come, keep a device identifier in the user's cache, write into the
 * temporary folder and report use to their maker over the network (1.30: `.ses`, `mat-debug-*.log`). A program that
 * handles patients' images does none of that, so telemetry is switched off before the library is loaded.
 */

/** Environment of a process that loads ONNX Runtime; read by the library once, when it starts. */
export const WITHOUT_TELEMETRY = { ORT_DISABLE_TELEMETRY: '1' } as const;

export function importOnnx(): Promise<typeof import('onnxruntime-node')> {
  Object.assign(process.env, WITHOUT_TELEMETRY);
  return import('onnxruntime-node');
}
