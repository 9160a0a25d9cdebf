"""Connected components (6 neighbours) of a mask: scipy.ndimage.label."""
import sys

import numpy as np
from measure import measure
from scipy import ndimage

mask = np.load(sys.argv[1]) > 0


def work():
    return int(ndimage.label(mask)[1])


measure(work, int(sys.argv[2]))
