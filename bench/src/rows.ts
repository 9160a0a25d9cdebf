/** The rows of the bench: who does which work, on which input, and what is aimed at (issue A, "Speed and memory to reach"; those of the server: server-rows.ts). */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agreeWithin, equal, labelCountsWithin } from './agreement.js';
import { makeInputs } from './inputs/inputs.js';
import { benchFolder, Peers } from './peers.js';
import type { Contender, Row } from './row.js';
import { SERVER_MODULES, serverRows } from './server-rows.js';

const MODULES = [
  'pydicom',
  'numpy',
  'scipy',
  'SimpleITK',
  'rt_utils',
  'cv2',
  'highdicom',
  'dcmrtstruct2nii',
  'onnx',
  'onnxruntime',
  'monai',
  'torch',
  ...SERVER_MODULES,
];
const PEAK_OF_VOLUME = 2.5;
const INT16_BYTES = 2;
const START_SECONDS = 0.3;
/** Kernels are timed warm, in one process; a file's way through is timed cold, in fresh processes. */
const KERNEL_REPEATS = 15;
const HEADER_REPEATS = 50;
const COLD_RUNS = 3;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

function ours(script: string, args: readonly (string | number)[], runs = 1): Contender {
  return { name: 'Isocenter', runs, command: [process.execPath, here(`ours/${script}.js`), ...args.map(String)] };
}

export async function rows(tiny: boolean): Promise<Row[]> {
  const inputs = makeInputs(tiny);
  const { ct, labels, size, spacing, window } = inputs;
  const peers = new Peers(MODULES);
  const out = (name: string) => join(inputs.folder, name);
  const volumeBytes = size[0] * size[1] * size[2] * INT16_BYTES;
  const runs = tiny ? 1 : COLD_RUNS;
  const repeats = tiny ? 1 : KERNEL_REPEATS;
  const headerRepeats = tiny ? 1 : HEADER_REPEATS;
  const mm = [...spacing].reverse();
  const plastimatch = (name: string) => [
    process.execPath,
    here('command.js'),
    String(runs),
    out(name),
    'plastimatch',
    'convert',
    '--input',
    inputs.rtstruct,
    '--referenced-ct',
    ct,
    '--output-prefix',
    out(name),
    '--prefix-format',
    'nii.gz',
  ];
  const timed = [process.execPath, here('command.js'), tiny ? '1' : '5', '-'];

  const list: Row[] = [
    {
      name: 'zip of CT slices to volume in HU',
      own: {
        text: `peak ≤ ${PEAK_OF_VOLUME} × volume`,
        holds: ({ peakBytes }) => peakBytes <= PEAK_OF_VOLUME * volumeBytes,
      },
      ours: ours('zip-to-volume', [inputs.zip], runs),
      peers: [
        peers.script('zipfile + pydicom', ['pydicom', 'numpy'], 'zip_to_volume.py', [inputs.zip], {
          aim: { speed: 5 },
          runs,
        }),
      ],
      differs: equal,
    },
    {
      name: `headers of ${size[2]} files`,
      ours: ours('headers', [ct, headerRepeats]),
      peers: [peers.script('pydicom', ['pydicom'], 'headers.py', [ct, headerRepeats], { aim: { speed: 15 } })],
      differs: agreeWithin(1e-6),
    },
    {
      name: '20 structures to RTSTRUCT, proof included',
      ours: ours('rtstruct-write', [ct, labels, out('ours.rtstruct.dcm')], runs),
      peers: [
        peers.script(
          'rt-utils (no proof)',
          ['rt_utils', 'numpy'],
          'rtstruct_write_rtutils.py',
          [ct, labels, out('rtutils.dcm')],
          { aim: { speed: 10 } },
        ),
      ],
      differs: equal,
    },
    {
      name: 'that RTSTRUCT to masks (.nii.gz)',
      ours: ours('rtstruct-read', [ct, inputs.rtstruct, out('masks-ours')], runs),
      peers: [
        peers.program('plastimatch', 'plastimatch', plastimatch('masks-plastimatch'), { aim: { speed: 5 } }),
        peers.script(
          'dcmrtstruct2nii',
          ['dcmrtstruct2nii', 'SimpleITK'],
          'rtstruct_read_dcmrtstruct2nii.py',
          [ct, inputs.rtstruct, out('masks-dcmrtstruct2nii')],
          { aim: { speed: 5 } },
        ),
      ],
      differs: equal,
    },
    {
      name: 'contours alone: trace and fill',
      ours: ours('contours', [labels, repeats]),
      peers: [peers.script('OpenCV', ['cv2', 'numpy'], 'contours.py', [labels, repeats])],
      differs: equal,
    },
    {
      name: '20 structures to SEG and back',
      ours: ours('seg', [ct, labels, out('ours.seg.dcm')], runs),
      peers: [
        peers.script('highdicom', ['highdicom', 'numpy'], 'seg_highdicom.py', [ct, labels, out('highdicom.seg.dcm')], {
          aim: { speed: 5 },
          runs,
        }),
      ],
      differs: equal,
    },
    {
      name: 'resample to 1.5 mm, linear',
      ours: ours('resample', [inputs.hu, ...mm, repeats]),
      peers: (
        [
          ['SimpleITK', 'SimpleITK', 1],
          ['scipy.ndimage', 'scipy', 5],
        ] as const
      ).map(([name, module, speed]) =>
        peers.script(
          name,
          [module, 'numpy'],
          'resample.py',
          [name === 'SimpleITK' ? 'simpleitk' : 'scipy', inputs.hu, ...mm, repeats],
          { aim: { speed } },
        ),
      ),
      differs: agreeWithin(1e-4),
    },
    {
      name: 'components of a mask, 6 neighbours',
      ours: ours('components', [inputs.mask, repeats]),
      peers: [
        peers.script('scipy.ndimage.label', ['scipy', 'numpy'], 'components.py', [inputs.mask, repeats], {
          aim: { speed: 3 },
        }),
      ],
      differs: equal,
    },
  ];
  list.push({
    name: `ONNX network, ${window}³ windows, ${inputs.mrSize[0]}³`,
    ours: inputs.bundle
      ? ours('network', [inputs.bundle, inputs.mr])
      : { name: 'Isocenter', skipped: 'no ../shared/data/models-meshnet' },
    peers: inputs.bundle
      ? (
          [
            ['onnxruntime + MONAI', 'onnxruntime'],
            ['PyTorch + MONAI', 'torch'],
          ] as const
        ).map(([name, module]) =>
          peers.script(
            name,
            ['monai', 'torch', 'onnxruntime', 'onnx'],
            'network.py',
            [module, join(inputs.bundle as string, 'models/model.onnx'), inputs.mr, window],
            { aim: { speed: 1, memory: 0.5 } },
          ),
        )
      : [],
    differs: labelCountsWithin(1e-4),
  });
  list.push({
    name: 'start: isocenter --help',
    own: { text: `< ${START_SECONDS} s`, holds: ({ seconds = 1 }) => seconds < START_SECONDS },
    ours: {
      name: 'Isocenter',
      command: [...timed, process.execPath, join(benchFolder, '../packages/cli/bin/isocenter.js'), '--help'],
    },
    peers: [peers.python('python -c "import monai"', ['monai'], timed, ['-c', 'import monai'])],
  });
  return [...list, ...serverRows(peers, inputs, tiny)];
}
