"""Makes smooth-bone.onnx: a network as small as one can be, to try `isocenter models add` with.

One 3 x 3 x 3 mean filter and a threshold at 250 HU, written as convolution and sigmoid. Needs: pip install onnx numpy
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WINDOW = (-1000.0, 1000.0)  # HU that become 0 and 1, as in smooth-bone.json
THRESHOLD = (250.0 - WINDOW[0]) / (WINDOW[1] - WINDOW[0])
STEEPNESS = 200.0

weight = np.full((1, 1, 3, 3, 3), STEEPNESS / 27, np.float32)
bias = np.array([-STEEPNESS * THRESHOLD], np.float32)
size = ["batch", 1, "i", "j", "k"]
graph = helper.make_graph(
    [helper.make_node("Conv", ["image", "weight", "bias"], ["smooth"], pads=[1] * 6)],
    "smooth-bone",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, size)],
    [helper.make_tensor_value_info("smooth", TensorProto.FLOAT, size)],
    [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, "smooth-bone.onnx")
