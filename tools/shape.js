// `npm run shape`: file sizes, import direction, duplicate blocks, ports without a shared suite, comment share.
// Prints; exits 1 only on what the style guide calls a hard stop (a file above 500 lines, an import fault, a port without suite).
import { existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { layerFaults } from './layers.js';
import { isGenerated, isTest, packages, read, show } from './packages.js';

const HARD_STOP_LINES = 500;
const REASON_LINES = 320;
/** This many equal lines in a row, blank lines, comments and imports aside, count as a duplicate. */
const DUPLICATE_LINES = 8;

const files = packages().flatMap(({ files }) => files);
const product = files.filter((file) => !isTest(file) && !isGenerated(file));
const sizes = product.map((file) => [read(file).split('\n').length, file]).sort((a, b) => a[0] - b[0]);
const at = (share) => sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * share))][0];
const [largest, largestFile] = sizes.at(-1);
console.log(
  `files: ${sizes.length}; median ${at(0.5)}, 90th percentile ${at(0.9)}, largest ${largest} (${show(largestFile)})`,
);
const above = sizes.filter(([lines]) => lines > REASON_LINES);
for (const [lines, file] of above) console.log(`  above ${REASON_LINES}: ${lines} ${show(file)}`);

let commentLines = 0;
let allLines = 0;
for (const file of product)
  for (const line of read(file).split('\n')) {
    if (line.trim() === '') continue;
    allLines++;
    if (/^\s*(\/\/|\/\*|\*)/.test(line)) commentLines++;
  }
const testLines = files.filter(isTest).reduce((sum, file) => sum + read(file).split('\n').length, 0);
console.log(
  `comments: ${Math.round((100 * commentLines) / allLines)} % of ${allLines} lines; ${(testLines / allLines).toFixed(2)} test lines per source line`,
);

const faults = layerFaults();
console.log(`import direction: ${faults.length} fault(s)`);
for (const fault of faults) console.log(`  ${fault}`);

const windows = new Map();
for (const file of product) {
  const lines = read(file)
    .replace(/^import [^;]*? from /gm, (names) => names.replaceAll(/[^\n]/g, ''))
    .split('\n')
    .map((text, index) => ({ text: text.trim(), number: index + 1 }))
    .filter(({ text }) => text.length > 3 && !/^(\/\/|\/\*|\*|import |export \* |} from )/.test(text));
  for (let n = 0; n + DUPLICATE_LINES <= lines.length; n++) {
    const key = lines
      .slice(n, n + DUPLICATE_LINES)
      .map(({ text }) => text)
      .join('\n');
    const places = windows.get(key) ?? [];
    places.push(`${show(file)}:${lines[n].number}`);
    windows.set(key, places);
  }
}
const duplicates = [...windows.values()].filter((places) => places.length > 1);
console.log(`duplicate blocks of ${DUPLICATE_LINES} lines: ${duplicates.length}`);
for (const places of duplicates.slice(0, 10)) console.log(`  ${places.join(' ~ ')}`);

// A port says so in its doc comment (`@port`) and has one shared suite beside it.
const portsWithoutSuite = product.filter(
  (file) => /@port\b/.test(read(file)) && !readdirSync(dirname(file)).some((name) => name.endsWith('.suite.ts')),
);
console.log(`ports without shared suite: ${portsWithoutSuite.length}`);
for (const file of portsWithoutSuite) console.log(`  ${show(file)}`);

const untested = product.filter((file) => !file.endsWith('index.ts') && !existsSync(file.replace(/\.ts$/, '.test.ts')));
console.log(
  `files whose test is named otherwise: ${untested.length} of ${product.length} (tests are named after promises)`,
);

process.exitCode = largest > HARD_STOP_LINES || faults.length > 0 || portsWithoutSuite.length > 0 ? 1 : 0;
