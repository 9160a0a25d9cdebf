"""Linear resampling of a CT volume to 1.5 mm isotropic: `simpleitk` (all cores) or `scipy` (ndimage.zoom-like affine, order 1)."""
import sys

import numpy as np
from measure import measure

who, path, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])
SPACING = (0.9765625, 0.9765625, 1.25)
TARGET = 1.5
data = np.load(path)
shape = [int(round((n - 1) * d / TARGET + 1)) for n, d in zip(data.shape[::-1], SPACING)]

if who == "simpleitk":
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(data)
    image.SetSpacing(SPACING)

    def work():
        out = sitk.Resample(image, shape, sitk.Transform(), sitk.sitkLinear, (0.0, 0.0, 0.0), (TARGET,) * 3, np.eye(3).ravel().tolist(), 0.0, sitk.sitkFloat32)
        return list(out.GetSize())
else:
    from scipy import ndimage

    def work():
        scale = [TARGET / d for d in SPACING[::-1]]
        out = ndimage.affine_transform(data, scale, output_shape=shape[::-1], output=np.float32, order=1, mode="nearest")
        return list(out.shape[::-1])


measure(work, repeats)
