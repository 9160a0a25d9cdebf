import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeConfiguration } from './describe-configuration.js';
import { parseEnvironmentFile } from './environment-file.js';
import { readConfiguration } from './read-configuration.js';

const SECRET = 'CUSTOMCONNSTR_API_AUTH_SECRET';

/** The file of the product's README with values filled in. */
const README = `#!/bin/bash
export CUSTOMCONNSTR_AZUREML_SERVICE_PRINCIPAL_SECRET=principal
export CUSTOMCONNSTR_API_AUTH_SECRET=from the file
export CLUSTER=gpu
export WORKSPACE_NAME=w
export EXPERIMENT_NAME=clinic
export RESOURCE_GROUP=r
export SUBSCRIPTION_ID=s
export APPLICATION_ID=a
export TENANT_ID=t
export DATASTORE_NAME=d
export IMAGE_DATA_FOLDER=images
`;

describe('the variables of InnerEye-Inference', () => {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'isocenter-innereye-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));
  const write = (text: string, name = 'set_environment.sh') => writeFileSync(join(home, name), text);
  const read = (environment: Record<string, string> = {}) =>
    readConfiguration({ environment: { ISOCENTER_HOME: home, ...environment } });

  it('are all optional', () => {
    expect(read().values).toMatchObject({ innereyeExperiment: 'api_inference' });
    expect(read().values.innereyeSecret).toBeUndefined();
    expect(read().values.imageDataFolder).toBeUndefined();
    expect(read()).toMatchObject({ ignored: [], environmentFile: undefined });
  });

  it('come from set_environment.sh in the data directory, and those of the cloud are named as ignored', () => {
    write(README);
    const { values, environmentFile, ignored } = read();
    expect(values).toMatchObject({
      innereyeSecret: 'from the file',
      innereyeExperiment: 'clinic',
      imageDataFolder: 'images',
    });
    expect(environmentFile?.taken).toEqual([SECRET, 'EXPERIMENT_NAME', 'IMAGE_DATA_FOLDER']);
    expect(environmentFile?.unread).toEqual([]);
    expect(ignored).toHaveLength(8);
    expect(ignored).toContain('CLUSTER');
  });

  it('come from the process first, where an empty one counts as set', () => {
    write(README);
    expect(read({ [SECRET]: 'from the process' }).values.innereyeSecret).toBe('from the process');
    expect(read({ [SECRET]: '' }).values.innereyeSecret).toBeUndefined();
    expect(read({ [SECRET]: '  ' }).values.innereyeSecret).toBeUndefined();
  });

  it('may stand in a file of another name, which must then be there', () => {
    write(README, 'other.sh');
    expect(read({ ISOCENTER_ENVIRONMENT_FILE: join(home, 'other.sh') }).values.innereyeExperiment).toBe('clinic');
    expect(() => read({ ISOCENTER_ENVIRONMENT_FILE: join(home, 'none.sh') })).toThrow(/cannot be read/);
  });

  it('set nothing else: a file of shell is no second way to our own settings', () => {
    write('ISOCENTER_PORT=1\nDATABASE_URL=postgres://other\n');
    expect(read().values).toMatchObject({ port: 8042 });
    expect(read().values.databaseUrl).toBeUndefined();
  });

  it('are never printed where they are secret', () => {
    write(README);
    const text = JSON.stringify([describeConfiguration(read()), read().environmentFile, read().ignored]);
    expect(text).not.toContain('from the file');
    expect(text).not.toContain('principal');
  });

  it('take a secret that looks like JSON as it is written', () => {
    for (const secret of ['12345', 'true', '1e5', '[a', 'a=b#c'])
      expect(read({ [SECRET]: secret }).values.innereyeSecret, secret).toBe(secret);
  });

  it.each([
    ['blank lines and blanks around', '\n\n  A = 1 \n\n', { A: '1' }, []],
    ['only a leading export goes', 'export MY_EXPORT=export me', { MY_EXPORT: 'export me' }, []],
    ['quotes that match', 'A="x y"\nB=\'z\'\nC="half', { A: 'x y', B: 'z', C: '"half' }, []],
    ['the first = divides', 'A=b=c==', { A: 'b=c==' }, []],
    ['keys in capitals, the last wins', 'a=1\nA=2', { A: '2' }, []],
    ['nothing is expanded', 'A=$HOME/`id`', { A: '$HOME/`id`' }, []],
    ['comments', '# A=1\n  # B=2\nC=3 # kept', { C: '3 # kept' }, []],
    ['lines of other shell are numbered', 'set -e\nA=1\nsource x', { A: '1' }, [1, 3]],
    ['Windows', '\uFEFFA=1\r\nB=2\r\n', { A: '1', B: '2' }, []],
    ['empty', 'export A=', { A: '' }, []],
  ])('are read from lines: %s', (_, text, variables, unread) => {
    expect(parseEnvironmentFile(text)).toEqual({ variables, unread });
  });
});
