/** examples/arterys: every handler is asked over HTTP and its answer looked at; an independent reader in Python where there is one. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseDicom } from '@isocenter/dicom';
import { makePhantom } from '@isocenter/engine';
import { openSources } from '@isocenter/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithData, describeWithPython, repositoryRoot } from '../../../../../tools/test/needs.js';
import { ask, readAnswer, requestBody } from './arterys.suite.js';
import type { Handler } from './handler.js';
import { type ServedHandlers, serveHandlers } from './stand-alone.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const example = (name: string) => pathToFileURL(join(repositoryRoot, 'examples/arterys', name)).href;

/** The body by requests-toolbelt's encoder; the answer by its decoder and by the parser of e-mail of the standard library. */
const PYTHON = `
import email, hashlib, json, sys, urllib.request
from requests_toolbelt.multipart.decoder import MultipartDecoder
from requests_toolbelt.multipart.encoder import MultipartEncoder
url, out, *paths = sys.argv[1:]
text = json.dumps({"studyUID": "1.2.3"})
fields = [("request_json", ("request", text, "text/json"))]
files = [open(path, "rb").read() for path in paths]
fields += [(str(n + 1), (str(n + 1) + ".dcm", data, "application/dicom")) for n, data in enumerate(files)]
encoder = MultipartEncoder(fields)
related = 'multipart/related; boundary="%s"' % encoder.boundary_value
request = urllib.request.Request(url, encoder.to_string(), {"Content-Type": related})
with urllib.request.urlopen(request) as response:
    body, content_type = response.read(), response.headers["Content-Type"]
parts = MultipartDecoder(body, content_type).parts
message = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\\r\\n\\r\\n" + body)
digest = lambda data: hashlib.sha256(data).hexdigest()
print(json.dumps({
  "names": [part.get_filename() for part in message.get_payload()],
  "types": [part.get_content_type() for part in message.get_payload()],
  "json": json.loads(parts[0].content),
  "lengths": [len(part.content) for part in parts],
  "hashes": parts[-1].content.decode() == digest(text.encode() + b"".join(files)) + ":" + digest(b"".join(part.content for part in parts[:-1])),
}))
`;

describe('the examples', () => {
  let served: ServedHandlers;
  let ct: Uint8Array[] = [];
  beforeAll(async () => {
    const { handlers } = (await import(example('every-output.mjs'))) as { handlers: Record<string, Handler> };
    const mocks: Record<string, Handler> = {};
    for (const name of ['probability-mask-3d', 'probability-mask-2d', 'bounding-box', 'classification'])
      mocks[`/${name}`] = ((await import(example(`${name}.mjs`))) as { default: Handler }).default;
    served = await serveHandlers({ ...handlers, ...mocks }, { port: 0, log: silent });
    ct = (await makePhantom({ size: [40, 30, 5], spacing: [12, 12, 40] })).files.map(({ bytes }) => bytes).reverse();
  }, 60_000);
  afterAll(() => served.close());

  const post = async (path: string, files: readonly Uint8Array[] = ct) =>
    readAnswer(await ask(served.url, path, { body: requestBody(files) }));

  it('draw masks over the series, slice by slice in the order of the request', async () => {
    for (const [path, type] of [
      ['/boolean-mask', 'boolean_mask'],
      ['/heatmap', 'heatmap'],
      ['/label-mask', 'numeric_label_mask'],
      ['/conformance', 'probability_mask'],
    ] as const) {
      const there = await post(path);
      expect(there.json.parts[0]).toMatchObject({
        binary_type: type,
        binary_data_shape: { timepoints: 1, depth: 5, width: 40, height: 30 },
      });
      expect(there.bodies[0]).toHaveLength(40 * 30 * 5);
      const back = await post(path, [...ct].reverse());
      for (let s = 0; s < 5; s++)
        expect(
          back.bodies[0]!.subarray(s * 1200, (s + 1) * 1200).equals(
            there.bodies[0]!.subarray((4 - s) * 1200, (5 - s) * 1200),
          ),
        ).toBe(true);
    }
    expect((await post('/conformance')).json.parts[0].dicomConformance.recommended[0].compliant).toBe(true);
    expect(new Set((await post('/label-mask')).bodies[0])).toEqual(new Set([0, 1, 2]));
  });

  it('measure, capture and report', async () => {
    expect((await post('/measurements')).json.linear_measurements_2d[0].end).toEqual([39, 29]);
    for (const [path, type] of [
      ['/secondary-capture', 'dicom_secondary_capture'],
      ['/structured-report', 'dicom_structured_report'],
    ] as const) {
      const { json, bodies } = await post(path);
      expect(json.parts[0].binary_type).toBe(type);
      expect(bodies[0]!.toString('latin1', 128, 132)).toBe('DICM');
    }
  });

  describeWithData('.', 'real images', (data) => {
    const zip = async (path: string, most: number) => {
      const opened = await openSources(join(data, path));
      const files = await Promise.all(opened.sources.slice(0, most).map((source) => source.read()));
      await opened.close();
      return files;
    };

    it('of an MR get a mask of their size, of a CT and a compressed image one each', async () => {
      const mr = await zip('mri-brain-tumour-multiseq/PGBM-003_FLAIR.zip', 5);
      const { json, bodies } = await post('/probability-mask-3d', mr);
      const { depth, width, height } = json.parts[0].binary_data_shape;
      expect(depth).toBe(mr.length);
      expect(bodies[0]).toHaveLength(depth * width * height);
      const files = await Promise.all(
        [
          'JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50',
          'JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91',
          'LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2',
        ].map((name) => readFile(join(data, `dicom-transfer-syntax/ct-one-slice/${name}.dcm`))),
      );
      const flat = await post('/probability-mask-2d', files);
      expect(flat.json.parts).toHaveLength(3);
      flat.json.parts.forEach((part: { binary_data_shape: { width: number; height: number } }, n: number) => {
        expect(flat.bodies[n]).toHaveLength(part.binary_data_shape.width * part.binary_data_shape.height);
      });
      expect((await post('/classification', mr)).json.parts).toEqual([]);
      expect((await post('/bounding-box', mr)).json.bounding_boxes_2d).toHaveLength(1);
    });

    it('of an X-ray (CR) get a 2-D mask each, named by the image', async () => {
      const opened = await openSources(join(data, 'dicom-stress/dicomdir/dicomdirtests.zip'));
      const sources = opened.sources.filter(({ name }) => /77654033\/CR/.test(name));
      const cr = await Promise.all(sources.map((source) => source.read()));
      await opened.close();
      expect(cr).toHaveLength(3);
      const { json, bodies } = await post('/probability-mask-2d', cr);
      expect(bodies).toHaveLength(3);
      cr.forEach((file, n) => {
        const { dataset } = parseDicom(file);
        const { label, binary_type, binary_data_shape, dicom_image } = json.parts[n];
        expect([label, binary_type]).toEqual(['Mock seg', 'probability_mask']);
        expect(dicom_image).toEqual({ SOPInstanceUID: dataset.string('SOPInstanceUID') });
        expect(binary_data_shape).toEqual({ width: dataset.number('Columns'), height: dataset.number('Rows') });
        expect(bodies[n]).toHaveLength(binary_data_shape.width * binary_data_shape.height);
      });
      expect((await post('/bounding-box', cr)).json.bounding_boxes_2d[0].SOPInstanceUID).toBe(
        parseDicom(cr[0]!).dataset.string('SOPInstanceUID'),
      );
    });

    it('whose data set has lost its UIDs are named by the head of the file; without a series they are refused in words', async () => {
      const ct = await zip('ct-abdomen-totalsegmentator/example_ct_dicom.zip', 2);
      const meta = ct.map((file) => parseDicom(file).meta.string('MediaStorageSOPInstanceUID'));
      expect(parseDicom(ct[0]!).dataset.string('SOPInstanceUID')).toBeUndefined();
      expect((await post('/bounding-box', ct)).json.bounding_boxes_2d[0].SOPInstanceUID).toBe(meta[0]);
      const flat = await post('/probability-mask-2d', ct);
      expect(
        flat.json.parts.map((part: { dicom_image: { SOPInstanceUID: string } }) => part.dicom_image.SOPInstanceUID),
      ).toEqual(meta);
      const refused = await ask(served.url, '/probability-mask-3d', { body: requestBody(ct) });
      expect([refused.status, refused.body.toString()]).toEqual([
        422,
        expect.stringContaining('no Series Instance UID (part 1)'),
      ]);
    });
  });

  describeWithPython(['requests_toolbelt'], 'another encoder and two other decoders', (python) => {
    it('agree on every part, length and hash', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'isocenter-arterys-'));
      try {
        const paths = ct.map((_, n) => join(folder, `${n}.dcm`));
        await Promise.all(ct.map((bytes, n) => writeFile(paths[n]!, bytes)));
        // Not spawnSync: the server is in this process.
        const said = await new Promise<string>((resolve, refuse) =>
          execFile(python, ['-c', PYTHON, `${served.url}/probability-mask-3d`, folder, ...paths], (error, out) =>
            error ? refuse(error) : resolve(out),
          ),
        );
        const answer = JSON.parse(said);
        expect(answer).toMatchObject({
          names: ['json-body', 'elem_0', 'hashes'],
          types: ['application/json', 'application/binary', 'text/plain'],
          hashes: true,
        });
        expect(answer.lengths.slice(1)).toEqual([40 * 30 * 5, 129]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
});
