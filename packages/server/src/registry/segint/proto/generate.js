// Makes ../messages/*.generated.ts of the .proto files beside this: `node packages/server/src/registry/segint/proto/generate.js`.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const bin = fileURLToPath(new URL('../../../../../../node_modules/.bin', import.meta.url));
const messages = join(here, '..', 'messages');
execFileSync(join(bin, 'buf'), ['generate'], {
  cwd: here,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
});
for (const name of readdirSync(messages).filter((each) => each.endsWith('_pb.ts'))) {
  const code = readFileSync(join(messages, name), 'utf8').replaceAll(/"\.\/(\w+)_pb\.js"/g, '"./$1.generated.js"');
  writeFileSync(join(messages, name.replace('_pb.ts', '.generated.ts')), code);
  rmSync(join(messages, name));
}
