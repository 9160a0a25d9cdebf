"""Other people's RTSTRUCT readers, and one plain filler, measured against the masks that an RTSTRUCT was made from.

usage: rtstruct_readers.py READER RTSTRUCT CT_FOLDER MASKS.json
MASKS.json: {"shape": [slices, rows, columns], "masks": {"ROI name": "file of raw bytes"}}; slices by ascending position.
Prints JSON: {"ROI name": {"voxels": n, "missing": n, "extra": n}}
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import pydicom


def plain_even_odd(rtstruct, folder, names):
    """pydicom and the even-odd rule at pixel centres, all contours of a slice together; written without looking at ours."""
    images = [pydicom.dcmread(f, stop_before_pixels=True) for f in glob.glob(os.path.join(folder, '*'))]
    images.sort(key=lambda d: float(d.ImagePositionPatient[2]))
    heights = np.array([float(d.ImagePositionPatient[2]) for d in images])
    x0, y0 = (float(v) for v in images[0].ImagePositionPatient[:2])
    dy, dx = (float(v) for v in images[0].PixelSpacing)
    rows, columns = int(images[0].Rows), int(images[0].Columns)
    data = pydicom.dcmread(rtstruct)
    numbers = {int(r.ROINumber): str(r.ROIName) for r in data.StructureSetROISequence}
    masks = {name: np.zeros((len(images), rows, columns), bool) for name in names}
    centres = np.arange(columns)
    for roi in data.ROIContourSequence:
        mask = masks[numbers[int(roi.ReferencedROINumber)]]
        for contour in getattr(roi, 'ContourSequence', None) or []:
            points = np.array([float(v) for v in contour.ContourData]).reshape(-1, 3)
            k = int(np.argmin(abs(heights - points[0, 2])))
            px, py = (points[:, 0] - x0) / dx, (points[:, 1] - y0) / dy
            qx, qy = np.roll(px, -1), np.roll(py, -1)
            for row in range(max(0, int(np.floor(py.min()))), min(rows, int(np.ceil(py.max())) + 1)):
                over = (py > row) != (qy > row)
                where = px[over] + (row - py[over]) * (qx[over] - px[over]) / (qy[over] - py[over])
                mask[k, row] ^= (where[None, :] > centres[:, None]).sum(axis=1) % 2 == 1
    return masks


def plastimatch(rtstruct, folder, names, *options):
    import SimpleITK

    masks = {}
    with tempfile.TemporaryDirectory() as out:
        command = ['plastimatch', 'convert', '--input', rtstruct, '--referenced-ct', folder]
        command += ['--output-prefix', out, '--prefix-format', 'nrrd', *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name in names:
            file = os.path.join(out, name + '.nrrd')
            if os.path.exists(file):
                masks[name] = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(file)) != 0
    return masks


def rt_utils(rtstruct, folder, names):
    from rt_utils import RTStructBuilder

    structure_set = RTStructBuilder.create_from(dicom_series_path=folder, rt_struct_path=rtstruct)
    masks = {}
    for name in names:
        mask = structure_set.get_roi_mask_by_name(name)
        if structure_set.series_data[0].ImagePositionPatient[2] > structure_set.series_data[-1].ImagePositionPatient[2]:
            mask = mask[:, :, ::-1]
        masks[name] = np.moveaxis(mask, 2, 0)
    return masks


def dcmrtstruct2nii(rtstruct, folder, names):
    import SimpleITK

    pydicom.read_file = pydicom.dcmread  # dcmrtstruct2nii 5 asks for the name that pydicom 3 dropped
    from dcmrtstruct2nii import dcmrtstruct2nii as convert

    masks = {}
    with tempfile.TemporaryDirectory() as out:
        convert(rtstruct, folder, out, mask_background_value=0, mask_foreground_value=1, convert_original_dicom=False)
        for name in names:
            for file in (f'mask_{name}.nii.gz', f'mask_{name}'.replace('_', '-') + '.nii.gz'):
                path = os.path.join(out, file)
                if os.path.exists(path):
                    masks[name] = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path)) != 0
    return masks


READERS = {
    'pydicom and a plain even-odd filler': plain_even_odd,
    'plastimatch': plastimatch,
    'plastimatch --xor-contours': lambda *a: plastimatch(*a, '--xor-contours'),
    'rt-utils': rt_utils,
    'dcmrtstruct2nii': dcmrtstruct2nii,
}


def main():
    reader, rtstruct, folder, description = sys.argv[1:]
    with open(description) as file:
        expected = json.load(file)
    stdout = os.dup(1)
    os.dup2(2, 1)  # libraries talk on stdout; the answer must stand alone there
    masks = READERS[reader](rtstruct, folder, list(expected['masks']))
    answer = {}
    for name, file in expected['masks'].items():
        mask = np.fromfile(file, np.uint8).reshape(expected['shape']) != 0
        found = masks.get(name, np.zeros_like(mask))
        if found.shape != mask.shape:
            raise SystemExit(f'{reader}: shape {found.shape} instead of {mask.shape}')
        answer[name] = {
            'voxels': int(mask.sum()),
            'missing': int((mask & ~found).sum()),
            'extra': int((found & ~mask).sum()),
        }
    with os.fdopen(stdout, 'w') as out:
        json.dump(answer, out)


main()
