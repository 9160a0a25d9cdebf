"""Linear resampling of a CT volume to 1.5 mm isotropic, float32 out: `simpleitk` (all cores) or `scipy` (affine of order 1)."""
import sys

import numpy as np
from measure import measure

who, path, repeats = sys.argv[1], sys.argv[2], int(sys.argv[6])
SPACING = [float(mm) for mm in sys.argv[3:6]]  # z, y, x
TARGET = 1.5
data = np.load(path)
shape = [int(round((n - 1) * d / TARGET + 1)) for n, d in zip(data.shape, SPACING)]

if who == "simpleitk":
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(data)
    image.SetSpacing(SPACING[::-1])

    def work():
        return sitk.Resample(
            image,
            shape[::-1],
            sitk.Transform(),
            sitk.sitkLinear,
            (0.0, 0.0, 0.0),
            (TARGET,) * 3,
            np.eye(3).ravel().tolist(),
            0.0,
            sitk.sitkFloat32,
        )

    def array(out):
        return sitk.GetArrayViewFromImage(out)
else:
    from scipy import ndimage

    def work():
        scale = [TARGET / d for d in SPACING]
        return ndimage.affine_transform(data, scale, output_shape=shape, output=np.float32, order=1, mode="nearest")

    def array(out):
        return out


def check(out):
    # Without the last plane of each axis, which may lie outside of the input: every tool fills it otherwise.
    values = array(out)
    return {"size": list(values.shape[::-1]), "mean": float(values[:-1, :-1, :-1].mean(dtype=np.float64))}


measure(work, repeats, check)
