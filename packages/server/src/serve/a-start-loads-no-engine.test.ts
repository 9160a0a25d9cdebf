/** A server is ready before the code that works on images is loaded: that is a fifth of all modules, and compute children have their own. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** Imports the server's package in a process where importing one of `refused` is an error. Returns what it says. */
function importWithout(refused: readonly string[]): string {
  const hooks = `export async function resolve(specifier, context, next) {
    if (${JSON.stringify(refused)}.includes(specifier)) throw new Error('loads ' + specifier + ' for ' + context.parentURL);
    return next(specifier, context);
  }`;
  const module = new URL('../../dist/index.js', import.meta.url).href;
  const script = `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
    await import(${JSON.stringify(module)}).then(({ startServer }) => console.log(typeof startServer), (e) => console.log(e.message));`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stdout.trim();
}

describe('The package of the server', () => {
  it('loads neither encoders nor networks when it is imported', () => {
    expect(importWithout(['@isocenter/engine', 'onnxruntime-node'])).toBe('function');
  });

  it('would be caught if it did', () => {
    expect(importWithout(['@isocenter/engine/processes'])).toMatch(/^loads @isocenter\/engine\/processes for /);
  });
});
