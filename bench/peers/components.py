"""Connected components (6 neighbours) of a mask: scipy.ndimage.label."""
import sys

import numpy as np
from measure import measure
from scipy import ndimage

mask = np.load(sys.argv[1])

measure(lambda: ndimage.label(mask), int(sys.argv[2]), check=lambda result: int(result[1]))
