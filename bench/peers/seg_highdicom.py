"""Label map of structures to a DICOM SEG file (binary) and back to a label map: highdicom. Arguments: CT folder, labels.npy, output file."""
import os
import sys

import highdicom as hd
import numpy as np
import pydicom
from measure import measure
from pydicom.sr.codedict import codes


def work():
    labels = np.load(sys.argv[2])
    images = [pydicom.dcmread(os.path.join(sys.argv[1], n), stop_before_pixels=True) for n in os.listdir(sys.argv[1])]
    images.sort(key=lambda d: float(d.ImagePositionPatient[2]))
    count = int(labels.max())
    algorithm = hd.AlgorithmIdentificationSequence(name="bench", version="1", family=codes.DCM.ArtificialIntelligence)
    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=n,
            segment_label=f"structure {n}",
            segmented_property_category=codes.SCT.Organ,
            segmented_property_type=codes.SCT.Organ,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=algorithm,
        )
        for n in range(1, count + 1)
    ]
    seg = hd.seg.Segmentation(
        source_images=images,
        pixel_array=labels,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=descriptions,
        series_instance_uid=hd.UID(),
        series_number=2,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="bench",
        manufacturer_model_name="bench",
        software_versions="1",
        device_serial_number="1",
    )
    seg.save_as(sys.argv[3])
    back = hd.seg.segread(sys.argv[3])
    return back.get_volume(combine_segments=True).array


measure(work, check=lambda read: {"structures": int(read.max()), "voxels": int((read > 0).sum())})
