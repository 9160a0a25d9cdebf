"""Reads a SEG by pydicom alone and by highdicom, and counts voxels that differ from the label map it was made from.

usage: seg_readers.py SEG MAP.json
MAP.json: {"shape": [slices, rows, columns], "file": raw little-endian 16-bit labels = segment numbers, "images": [UIDs by slice]}
Prints JSON: {"pydicom": differing voxels, "highdicom": differing voxels}
"""
import json
import sys

import highdicom
import numpy as np
import pydicom


def by_pydicom(path, shape, images):
    data = pydicom.dcmread(path)
    frames, rows, columns = int(data.NumberOfFrames), data.Rows, data.Columns
    if data.BitsAllocated == 1:
        bits = np.unpackbits(np.frombuffer(data.PixelData, np.uint8), bitorder='little')
        pixels = bits[: frames * rows * columns].reshape(frames, rows, columns)
    else:
        kind = np.uint8 if data.BitsAllocated == 8 else '<u2'
        pixels = data.pixel_array.astype(kind).reshape(frames, rows, columns)
    labels = np.zeros(shape, np.uint16)
    for frame, group in zip(pixels, data.PerFrameFunctionalGroupsSequence):
        source = group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        plane = labels[images.index(source)]
        if data.SegmentationType == 'LABELMAP':
            plane[:] = frame
        else:
            plane[frame != 0] = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
    return labels


def by_highdicom(path, images):
    seg = highdicom.seg.segread(path)
    return seg.get_pixels_by_source_instance(images, combine_segments=True, assert_missing_frames_are_empty=True)


with open(sys.argv[2]) as file:
    expected = json.load(file)
labels = np.fromfile(expected['file'], '<u2').reshape(expected['shape'])
found = {
    'pydicom': by_pydicom(sys.argv[1], labels.shape, expected['images']),
    'highdicom': by_highdicom(sys.argv[1], expected['images']),
}
print(json.dumps({reader: int((result != labels).sum()) for reader, result in found.items()}))
