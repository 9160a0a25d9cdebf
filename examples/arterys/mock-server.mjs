#!/usr/bin/env node
/**
 * The four answers of Arterys' own mock server, for trying a viewer or a network path without a model:
 *   node examples/arterys/mock-server.mjs -s3D | -s2D | -b | -cl   [--port 8900] [--host 127.0.0.1] [--processes N]
 * Exactly one mode. The handlers stand beside this file, one for each.
 */
import { parseArgs } from 'node:util';
import { serveHandlers } from '@isocenter/server/arterys';

const MODES = {
  segmentation_model_3D: { short: '-s3D', handler: 'probability-mask-3d.mjs' },
  segmentation_model_2D: { short: '-s2D', handler: 'probability-mask-2d.mjs' },
  bounding_box_model: { short: '-b', handler: 'bounding-box.mjs' },
  classification_model: { short: '-cl', handler: 'classification.mjs' },
};

// Two letters behind one dash are no form that parseArgs knows.
const long = process.argv.slice(2).map((word) => {
  const mode = Object.entries(MODES).find(([, { short }]) => short === word);
  return mode ? `--${mode[0]}` : word;
});
const { values } = parseArgs({
  args: long,
  options: {
    ...Object.fromEntries(Object.keys(MODES).map((name) => [name, { type: 'boolean' }])),
    port: { type: 'string', default: '8900' },
    host: { type: 'string', default: '127.0.0.1' },
    processes: { type: 'string' },
  },
});
const chosen = Object.keys(MODES).filter((name) => values[name]);
if (chosen.length !== 1) {
  process.stderr.write('Exactly one of -s3D, -s2D, -b, -cl\n');
  process.exit(2);
}
const served = await serveHandlers(
  { '/': new URL(MODES[chosen[0]].handler, import.meta.url) },
  {
    port: Number(values.port),
    host: values.host,
    ...(values.processes === undefined ? {} : { processes: Number(values.processes) }),
  },
);
process.stdout.write(`listening on ${served.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => served.close().then(() => process.exit(0)));
