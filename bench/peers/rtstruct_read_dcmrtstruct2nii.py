"""RTSTRUCT to masks: dcmrtstruct2nii."""
import logging
import os
import shutil
import sys

from dcmrtstruct2nii import dcmrtstruct2nii
from measure import measure

logging.disable(logging.CRITICAL)


def work():
    shutil.rmtree(sys.argv[3], ignore_errors=True)
    dcmrtstruct2nii(sys.argv[2], sys.argv[1], sys.argv[3], convert_original_dicom=False)
    return len(os.listdir(sys.argv[3]))


measure(work)
