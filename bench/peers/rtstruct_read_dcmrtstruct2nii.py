"""RTSTRUCT to masks, one .nii.gz file a structure: dcmrtstruct2nii. Arguments: CT folder, RTSTRUCT, output folder."""
import logging
import os
import shutil
import sys

import pydicom

if not hasattr(pydicom, "read_file"):
    # The name that its last release knows; pydicom 3 kept only dcmread.
    pydicom.read_file = pydicom.dcmread

from dcmrtstruct2nii import dcmrtstruct2nii
from measure import measure

logging.disable(logging.CRITICAL)


def work():
    shutil.rmtree(sys.argv[3], ignore_errors=True)
    dcmrtstruct2nii(sys.argv[2], sys.argv[1], sys.argv[3], convert_original_dicom=False)
    return sorted(os.listdir(sys.argv[3]))


def check(names):
    import SimpleITK as sitk

    voxels = 0
    for name in names:
        image = sitk.ReadImage(os.path.join(sys.argv[3], name))
        voxels += int((sitk.GetArrayViewFromImage(image) > 0).sum())
    return {"structures": len(names), "voxels": voxels}


measure(work, check=check)
