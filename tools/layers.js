// Proves DESIGN §2 and §7 on the sources: imports point to lower levels only, nothing enters its own package through
// index.ts, and the dangerous abilities (extracting an archive, running text as code) live in one place or nowhere.
import { basename, dirname, join, relative, resolve } from 'node:path';
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

/** Inside the server a folder may import those before it; what stands in one line is one level, and knows nothing of its siblings. */
const serverOrder = [
  ['defects', 'paging', 'configuration', 'state'],
  ['audit'],
  ['accounts', 'blobs', 'compute'],
  ['chores', 'registry'],
  ['jobs', 'studies', 'feedback'],
  ['http', 'services'],
  ['rest', 'operations'],
  ['protocols'],
  ['serve'],
];
/** Words for all: who acts, and what the tables look like to the one type of the database. */
const SHARED_WORDS = /^(?:accounts\/actor|[a-z]+\/tables)\.js$/;
/** External modules that one folder of the server may import, with the reason. */
const serverOwners = [
  [/^(?:@aws-sdk|@azure|@google-cloud)\//, ['blobs'], 'clouds are behind the port BlobStore'],
  [/^pg$/, ['state', 'jobs/notices.ts'], 'the one door to PostgreSQL; LISTEN needs a connection of its own'],
  [/^pg-boss$/, ['jobs'], 'the one queue'],
  [/^(?:@node-rs\/argon2|jose|openid-client)$/, ['accounts'], 'who people are'],
  [/^prom-client$/, ['operations'], 'metrics are behind the port HttpMetrics'],
];

/** What is wrong with one import of a file of the server; both places are given below src/. */
function serverFault(from, target, local) {
  const folder = from.split('/')[0];
  const level = (name) => serverOrder.findIndex((line) => line.includes(name));
  if (!local) {
    const [, places, reason] = serverOwners.find(([pattern]) => pattern.test(target)) ?? [];
    if (places && !places.some((place) => from === place || folder === place))
      return `imports ${target}, which belongs to ${places[0]}/ (${reason})`;
    return undefined;
  }
  const other = target.split('/')[0];
  if (other === folder || SHARED_WORDS.test(target)) return undefined;
  if (level(folder) < 0) return `stands in ${folder}/, which has no place in the order of tools/layers.js`;
  return level(other) < level(folder) ? undefined : `imports ${target}: ${folder}/ must not know ${other}/`;
}

export function layerFaults() {
  const faults = [];
  for (const { name, level, folder, files } of packages()) {
    if (level === undefined) faults.push(`${name}: has no level in tools/packages.js`);
    for (const file of files) {
      const source = read(file);
      for (const target of importsOf(source)) {
        if (name === '@isocenter/server' && !isTest(file) && basename(file) !== 'index.ts') {
          const src = join(folder, 'src');
          const local = target.startsWith('.');
          const place = local ? relative(src, resolve(dirname(file), target)) : target;
          const fault = serverFault(relative(src, file), place, local);
          if (fault) faults.push(`${show(file)}: ${fault}`);
        }
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
