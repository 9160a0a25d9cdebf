"""Headers of every file of a folder, without pixel data: pydicom."""
import os
import sys

import pydicom
from measure import measure


def work():
    positions = 0.0
    for name in sorted(os.listdir(sys.argv[1])):
        d = pydicom.dcmread(os.path.join(sys.argv[1], name), stop_before_pixels=True)
        positions += float(d.ImagePositionPatient[2]) + d.Rows
    return round(positions, 3)


measure(work, repeats=int(sys.argv[2]))
