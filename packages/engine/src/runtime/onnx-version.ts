/** Whether ONNX Runtime loads on this machine, and which one it is. Running networks is the compute child's business. */
import { importOnnx } from './import-onnx.js';

export async function onnxRuntimeVersion(): Promise<string> {
  const { env, listSupportedBackends } = await importOnnx();
  const backends = listSupportedBackends()
    .filter(({ bundled }) => bundled)
    .map(({ name }) => name);
  return `${env.versions.node ?? env.versions.common}, built in: ${backends.join(', ')}`;
}
