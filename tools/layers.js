// Proves DESIGN §2 and §7 on the sources: imports point to lower levels only, nothing enters its own package through
// index.ts, and the dangerous abilities (extracting an archive, running text as code) live in one place or nowhere.
import { dirname, join, resolve } from 'node:path';
import { importsOf, isTest, levels, packages, read, show } from './packages.js';

/** External modules that only one package may import, with the reason. */
const owners = {
  yazl: ['@isocenter/formats', 'the one archive writer'],
  'dcmjs-codecs': ['@isocenter/dicom', 'the one door to pixel codecs'],
  'onnxruntime-node': ['@isocenter/engine', 'inference runs in compute children only'],
  commander: ['isocenter', 'the command line'],
  fastify: ['@isocenter/server', 'the one HTTP server'],
  pg: ['@isocenter/server', 'the one door to PostgreSQL'],
  kysely: ['@isocenter/server', 'the one door to PostgreSQL'],
  'pg-boss': ['@isocenter/server', 'the one queue'],
  '@node-rs/argon2': ['@isocenter/server', 'passwords'],
};

export function layerFaults() {
  const faults = [];
  for (const { name, level, folder, files } of packages()) {
    if (level === undefined) faults.push(`${name}: has no level in tools/packages.js`);
    for (const file of files) {
      const source = read(file);
      for (const target of importsOf(source)) {
        const external = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : target.split('/')[0];
        if (target.startsWith('.')) {
          const path = resolve(dirname(file), target);
          if (!isTest(file) && !path.startsWith(join(folder, 'src')))
            faults.push(`${show(file)}: reaches outside its package: ${target}`);
          if (path === join(folder, 'src/index.js') && !isTest(file))
            faults.push(`${show(file)}: imports its own package's index`);
        } else if (external in levels && external !== name) {
          // Tests may look sideways or upwards for real input (an archive, a NIfTI mask); product code may not.
          if (levels[external] >= level && !isTest(file))
            faults.push(`${show(file)}: imports ${external} (level ${levels[external]}) from level ${level}`);
        } else if (external in owners && owners[external][0] !== name && !isTest(file)) {
          faults.push(
            `${show(file)}: imports ${external}, which belongs to ${owners[external][0]} (${owners[external][1]})`,
          );
        }
      }
      const code = source
        .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        .replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
      if (!isTest(file) && /\beval\s*\(|new Function\s*\(|\bvm\.run/.test(code))
        faults.push(`${show(file)}: runs text as code`);
    }
  }
  return faults;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const faults = layerFaults();
  for (const fault of faults) console.error(fault);
  console.log(faults.length === 0 ? 'layers: imports point one way' : `layers: ${faults.length} fault(s)`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
