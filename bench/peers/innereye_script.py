"""A zip of DICOM to the PassThrough contours in a zip, without any server: zipfile, pydicom and rt-utils. Arguments: zip, output folder."""
import os
import shutil
import sys
import zipfile

import numpy as np
import pydicom
from measure import measure
from rt_utils import RTStructBuilder

NAMES = ["SpinalCord", "Lung_R", "Lung_L", "Heart", "Esophagus"]
THICKNESS = 3


def work():
    images = os.path.join(sys.argv[2], "images")
    shutil.rmtree(images, ignore_errors=True)
    with zipfile.ZipFile(sys.argv[1]) as archive:
        archive.extractall(images)
    rtstruct = RTStructBuilder.create_new(dicom_series_path=images)
    slices = rtstruct.series_data
    rows, columns = int(slices[0].Rows), int(slices[0].Columns)
    away = lambda length: np.abs(2 * np.arange(length) + 1 - length) // 2
    ring = np.maximum(away(rows)[:, None], away(columns)[None, :]) // THICKNESS
    for n, name in enumerate(NAMES):
        mask = np.repeat((ring == n)[:, :, None], len(slices), axis=2)
        rtstruct.add_roi(mask=mask, name=name)
    path = os.path.join(sys.argv[2], "segmentation.dcm")
    rtstruct.save(path)
    with zipfile.ZipFile(path + ".zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "segmentation.dcm")
    return path


def check(path):
    dataset = pydicom.dcmread(path)
    names = {roi.ROINumber: str(roi.ROIName) for roi in dataset.StructureSetROISequence}
    return {
        names[roi.ReferencedROINumber]: len({float(contour.ContourData[2]) for contour in roi.ContourSequence})
        for roi in dataset.ROIContourSequence
    }


os.makedirs(sys.argv[2], exist_ok=True)
measure(work, check=check)
