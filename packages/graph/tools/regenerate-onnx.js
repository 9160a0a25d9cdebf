// Rewrites src/onnx/onnx.generated.ts from src/onnx/onnx.proto (`npm run generate -w packages/graph`): buf with protoc-gen-es,
// both pinned in the workspace; no network.
import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, '../src/onnx');
const bin = join(here, '../../../node_modules/.bin');
const template = {
  version: 'v2',
  plugins: [{ local: join(bin, 'protoc-gen-es'), out: '.', opt: ['target=ts', 'import_extension=js'] }],
};
execFileSync(join(bin, 'buf'), ['generate', 'onnx.proto', '--template', JSON.stringify(template)], {
  cwd: folder,
  stdio: 'inherit',
});
renameSync(join(folder, 'onnx_pb.ts'), join(folder, 'onnx.generated.ts'));
