/** The rows of the server (issue B, "Speed"): each contender is a server that is started, asked and stopped by a script of ours. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { equal } from './agreement.js';
import type { Inputs } from './inputs/inputs.js';
import type { Peers } from './peers.js';
import type { Contender, Row } from './row.js';
import { POSTGRES_PLUGIN } from './server/orthanc.js';

export const SERVER_MODULES = [
  'django',
  'flask',
  'grpc_tools',
  'requests_toolbelt',
  'gunicorn',
  'fastapi',
  'uvicorn',
  'uvloop',
  'httptools',
  'packaging',
];

const ENQUEUE_SECONDS = 0.025;
const PAGE_SECONDS = 0.02;
const START_SECONDS = 1;
const IDLE_MEGABYTES = 250;
const THIRD = 1 / 3;
const ARTERYS_MEGABYTES = 250;
const CONNECTIONS = 32;
const MEGABYTE = 2 ** 20;

const script = (name: string, ...args: readonly (string | number)[]): readonly string[] => [
  process.execPath,
  fileURLToPath(new URL(`server/${name}.js`, import.meta.url)),
  ...args.map(String),
];
const ours = (...command: Parameters<typeof script>): Contender => ({ name: 'Isocenter', command: script(...command) });

export function serverRows(peers: Peers, inputs: Inputs, tiny: boolean): Row[] {
  return [
    enqueueRow(peers, tiny ? 20 : 300),
    ...uploadRows(peers, tiny),
    innereyeRow(peers, inputs, tiny ? 1 : 7),
    getRow(peers, tiny ? 1 : 8),
    listRow(tiny ? 2_000 : 100_000),
    ...arterysRows(peers, tiny),
    ...startRows(peers, tiny ? 1 : 7),
    installRow(peers, tiny),
    ...idleRows(peers, tiny ? 1 : 20),
    segintRow(peers, tiny),
  ];
}

function enqueueRow(peers: Peers, jobs: number): Row {
  return {
    name: 'enqueue to started, durable',
    own: { text: `< ${ENQUEUE_SECONDS * 1000} ms median`, holds: ({ seconds = 1 }) => seconds < ENQUEUE_SECONDS },
    ours: ours('enqueue-isocenter', jobs),
    peers: [peers.npm('graphile-worker', (folder) => script('enqueue-graphile', folder, jobs))],
    differs: equal,
  };
}

function uploadRows(peers: Peers, tiny: boolean): Row[] {
  const row = (name: string, megabytes: number, atOnce: number, rounds: number): Row => {
    const args = [megabytes * MEGABYTE, atOnce, rounds];
    const flask = (under: string, kind: string, modules: readonly string[]) =>
      peers.python(`Flask, ${under}`, ['flask', ...modules], script('upload', ...args, kind), [], {
        aim: { speed: 1 },
      });
    return {
      name,
      ours: ours('upload', ...args, 'isocenter'),
      peers: [flask('werkzeug threads', 'werkzeug', []), flask('gunicorn threads', 'gunicorn', ['gunicorn'])],
      differs: equal,
    };
  };
  return tiny
    ? [row('POST of a zip until 202', 2, 1, 1), row('parallel POSTs of zips', 1, 4, 1)]
    : [row('POST of a 100 MB zip until 202', 100, 1, 9), row('50 parallel POSTs of 20 MB zips', 20, 50, 3)];
}

function innereyeRow(peers: Peers, { zip, folder, size }: Inputs, rounds: number): Row {
  return {
    name: `InnerEye: ${size[2]}-slice zip to fetched contours`,
    ours: ours('innereye', zip, rounds),
    peers: [
      peers.script(
        'pydicom + rt-utils, no server',
        ['pydicom', 'rt_utils', 'numpy'],
        'innereye_script.py',
        [zip, join(folder, 'innereye')],
        { aim: { speed: 4 } },
      ),
    ],
    differs: equal,
  };
}

function getRow(peers: Peers, seconds: number): Row {
  const peer = (name: string, kind: string, modules: readonly string[], speed: number) =>
    peers.python(name, modules, script('get', seconds, kind), [], { aim: { speed } });
  return {
    name: 'authenticated GET, 32 connections',
    ours: ours('get', seconds, 'isocenter'),
    peers: [
      peer('FastAPI, uvicorn + uvloop', 'uvicorn', ['fastapi', 'uvicorn', 'uvloop', 'httptools'], 3),
      peer('FastAPI, uvicorn plain', 'uvicorn-plain', ['fastapi', 'uvicorn'], 3),
      peer('Flask, gunicorn', 'gunicorn-sync', ['flask', 'gunicorn'], 10),
      peer('Flask, werkzeug', 'werkzeug', ['flask'], 10),
    ],
    differs: equal,
  };
}

function arterysRows(peers: Peers, tiny: boolean): Row[] {
  const modules = ['flask', 'numpy', 'pydicom', 'requests_toolbelt'];
  const row = (name: string, args: readonly (string | number)[], speed: number, memory?: number): Row => ({
    name,
    ...(memory === undefined
      ? {}
      : { own: { text: `< ${memory} MB`, holds: ({ peakBytes }) => peakBytes < memory * MEGABYTE } }),
    ours: ours('arterys', ...args, 'isocenter'),
    peers: [
      peers.python('Flask, requests-toolbelt', modules, script('arterys', ...args, 'flask'), [], { aim: { speed } }),
    ],
    differs: equal,
  });
  const [few, rounds] = tiny ? [1, 2] : [3, 100];
  return [
    row('Arterys 3-slice 3-D, 1 client', [few, 1, rounds], 2),
    row('Arterys 3-slice 3-D, 8 clients', [few, 8, rounds], 5),
    row('Arterys 200 slices, 108 MB', tiny ? [2, 1, 1] : [200, 1, 5], 3, ARTERYS_MEGABYTES),
    row('Arterys ping, 32 connections', ['ping', CONNECTIONS, tiny ? 1 : 8], 10),
  ];
}

function listRow(jobs: number): Row {
  return {
    name: `one page of ${jobs.toLocaleString('en')} jobs, filtered`,
    own: {
      text: `< ${PAGE_SECONDS * 1000} ms, every filter`,
      holds: ({ seconds = 1, check }) => seconds < PAGE_SECONDS && (check as { wrong: unknown[] }).wrong.length === 0,
    },
    ours: ours('list', jobs),
    peers: [],
  };
}

function startRows(peers: Peers, starts: number): Row[] {
  const own: Row['own'] = {
    text: `< ${START_SECONDS.toFixed(1)} s`,
    holds: ({ seconds = START_SECONDS }) => seconds < START_SECONDS,
  };
  return [
    {
      name: 'isocenter serve until ready, existing data',
      own,
      ours: ours('start', starts, 'isocenter'),
      peers: [peers.program('Orthanc, empty SQLite', 'Orthanc', script('start', starts, 'orthanc'))],
    },
    { name: 'npm start until ready, existing data', own, ours: ours('start', starts, 'npm-start'), peers: [] },
  ];
}

function segintRow(peers: Peers, tiny: boolean): Row {
  const args = tiny ? [64, 64, 8, 1] : [512, 512, 100, 6];
  return {
    name: `SegInt-R ${args.slice(0, 3).join('×')}: POST, phantom, result`,
    ours: ours('segint', ...args, 'isocenter'),
    peers: [
      peers.python(
        'Django, eager (ours, by the fact sheet)',
        ['django', 'grpc_tools', 'numpy'],
        script('segint', ...args, 'django'),
        [],
        { aim: { speed: 3 } },
      ),
    ],
    differs: equal,
  };
}

function installRow(peers: Peers, tiny: boolean): Row {
  return {
    name: "size of a user's install on the disk",
    ours: ours('install', tiny ? 'here' : 'clone'),
    peers: [
      peers.script(
        'MONAI, PyTorch, pydicom',
        ['monai', 'torch', 'pydicom', 'packaging'],
        'install_size.py',
        ['monai', 'torch', 'pydicom'],
        {
          aim: { memory: THIRD },
        },
      ),
    ],
  };
}

function idleRows(peers: Peers, seconds: number): Row[] {
  const own: Row['own'] = {
    text: `< ${IDLE_MEGABYTES} MB`,
    holds: ({ peakBytes }) => peakBytes < IDLE_MEGABYTES * MEGABYTE,
  };
  const postgresql: Contender = existsSync(POSTGRES_PLUGIN)
    ? peers.program('Orthanc + PostgreSQL', 'Orthanc', script('idle', seconds, 'orthanc-postgresql'))
    : peers.absent('Orthanc + PostgreSQL', `no ${POSTGRES_PLUGIN}`);
  return [
    {
      name: 'idle memory after the start, all processes',
      own,
      ours: ours('idle', seconds, 'isocenter'),
      peers: [
        peers.program('Orthanc, SQLite', 'Orthanc', script('idle', seconds, 'orthanc')),
        postgresql,
        peers.environment('MONAI Label', 'monailabel', (program) => script('idle', seconds, 'monailabel', program)),
      ],
    },
    {
      name: 'idle memory after a job, all processes',
      own,
      ours: ours('idle', seconds, 'isocenter-after-job'),
      peers: [],
    },
  ];
}
