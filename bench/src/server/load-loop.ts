/** The loop behind load.ts without wrk: as many requests in flight as connections, each sent when the one before was answered. */
import { Agent, get } from 'node:http';
import type { LoadFigures, LoadWish } from './load.js';
import { quantile } from './printed.js';

const { url, headers, connections, seconds } = JSON.parse(process.argv[2]) as LoadWish;
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const times: number[] = [];
let failures = 0;
const began = performance.now();
const end = began + seconds * 1000;
await Promise.all(Array.from({ length: connections }, requests));
const perSecond = (times.length * 1000) / (performance.now() - began);
const figures: LoadFigures = { perSecond, p99Ms: quantile(times, 0.99), failures, tool: 'Node loop' };
console.log(JSON.stringify(figures));
process.exit(0);

async function requests(): Promise<void> {
  while (performance.now() < end) {
    const from = performance.now();
    if (await isAnswered()) times.push(performance.now() - from);
    else failures++;
  }
}

function isAnswered(): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode === 200));
    }).once('error', () => resolve(false));
  });
}
