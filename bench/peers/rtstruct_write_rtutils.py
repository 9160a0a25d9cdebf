"""Label map of structures to RTSTRUCT: rt-utils."""
import os
import sys

import numpy as np
from measure import measure
from rt_utils import RTStructBuilder


def work():
    labels = np.load(sys.argv[2])
    rtstruct = RTStructBuilder.create_new(dicom_series_path=sys.argv[1])
    for label in range(1, int(labels.max()) + 1):
        mask = np.ascontiguousarray((labels == label).transpose(1, 2, 0))
        rtstruct.add_roi(mask=mask, name=f"structure {label}")
    rtstruct.save(sys.argv[3])
    return os.path.getsize(sys.argv[3])


measure(work)
