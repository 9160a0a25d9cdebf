/** An independent client: messages generated from our .proto by protoc for Python's protobuf runtime, voxels and masks by numpy. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWithPython } from '../../../../../tools/test/needs.js';
import { segintServer } from './segint.suite.js';

const PROTO = fileURLToPath(new URL('../../registry/segint/proto', import.meta.url));

const CLIENT = `
import gzip, json, subprocess, sys, time, urllib.request
import numpy as np
url, proto, folder = sys.argv[1:4]
subprocess.run([sys.executable, "-m", "grpc_tools.protoc", "-I" + proto, "--python_out=" + folder,
                proto + "/Model.proto", proto + "/Primitives3D.proto"], check=True)
sys.path.insert(0, folder)
import Model_pb2, Primitives3D_pb2
TYPE = "application/x-protobuf"

def ask(path, message, body=None):
    request = urllib.request.Request(url + path, data=body, headers={"Accept": TYPE, "Content-Type": TYPE})
    with urllib.request.urlopen(request) as answer:
        message.ParseFromString(answer.read())
        return message

models = ask("/api/v2/Model/", Model_pb2.ModelsCollection())
version = next(m for m in models.Models if m.CanonicalName == "Centered Square").ModelVersions[0]
shape = (100, 512, 512)
voxels = (np.random.default_rng(1).normal(0, 300, shape)).astype("<i2")
message = Model_pb2.ModelInput()
channel = message.Channels.add(ChannelID="1")
volume = channel.CalibratedVolume.Volume
volume.Depth, volume.Height, volume.Width = shape
volume.Data = gzip.compress(voxels.tobytes(), 1)
path = "/api/v2/Model/" + version.ID.replace(" ", "%20") + "/segmentation"
task = ask(path, Model_pb2.SegmentationTask(), message.SerializeToString())
seen = []
while not seen or seen[-1] != 100:
    progress = ask(path + "/" + task.SegmentationID, Model_pb2.SegmentationProgress())
    assert progress.ErrorCode == 0, progress.Errors
    seen.append(progress.Progress)
    time.sleep(0.02)
output = ask(path + "/" + task.SegmentationID + "/result", Model_pb2.ModelOutput())
made = output.Channels[0]
mask = np.frombuffer(gzip.decompress(made.Volume.Data), np.uint8).reshape(shape)
z, y, x = np.nonzero(mask)
print(json.dumps({
    "id": version.ID, "model": output.ModelID, "channels": len(output.Channels), "name": made.Structure.Name,
    "type": Primitives3D_pb2.VolumeData3D.DataTypes.Name(made.Volume.DataType), "bytes": len(message.SerializeToString()),
    "ranges": [int(v) for a in (x, y, z) for v in (a.min(), a.max())], "voxels": int(mask.sum()),
    "created": version.CreatedOn.ToJsonString(), "monotone": seen == sorted(seen),
}))
`;

describeWithPython(['grpc_tools', 'google.protobuf', 'numpy'], 'a Python client', (python) => {
  it('finds the model, sends 512 × 512 × 100 voxels and gets the mask', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-segint-'));
    const server = await segintServer();
    try {
      const said = JSON.parse(await run(python, ['-c', CLIENT, server.url, PROTO, folder])) as { bytes: number };
      expect(said).toMatchObject({
        id: 'Centered Orange Square',
        model: 'Centered Orange Square',
        channels: 1,
        name: 'liver',
        type: 'Byte',
        ranges: [226, 285, 226, 285, 25, 74],
        voxels: 180_000,
        created: '2020-07-28T14:42:10Z',
        monotone: true,
      });
      expect(said.bytes).toBeGreaterThan(30_000_000);
    } finally {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 300_000);
});

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, errors] = ['', ''];
    child.stdout.on('data', (text: Buffer) => {
      out += text.toString();
    });
    child.stderr.on('data', (text: Buffer) => {
      errors += text.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(out) : reject(new Error(errors.slice(-2000)))));
  });
}
