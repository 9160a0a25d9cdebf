"""Label map of structures to RTSTRUCT: rt-utils. Arguments: CT folder, labels.npy, output file."""
import sys

import numpy as np
from measure import measure
from rt_utils import RTStructBuilder


def work():
    labels = np.load(sys.argv[2])
    rtstruct = RTStructBuilder.create_new(dicom_series_path=sys.argv[1])
    count = int(labels.max())
    for label in range(1, count + 1):
        mask = np.ascontiguousarray((labels == label).transpose(1, 2, 0))
        rtstruct.add_roi(mask=mask, name=f"structure {label}")
    rtstruct.save(sys.argv[3])
    return count


def check(count):
    # Its own reader on its own file; without this time in the figure, while ours has the proof in it.
    back = RTStructBuilder.create_from(dicom_series_path=sys.argv[1], rt_struct_path=sys.argv[3])
    voxels = sum(int(back.get_roi_mask_by_name(f"structure {n}").sum()) for n in range(1, count + 1))
    return {"structures": count, "voxels": voxels}


measure(work, check=check)
