"""An ONNX network over a volume in MONAI's sliding windows, computed by `onnxruntime` or by `torch` (same layers and weights)."""
import sys

import numpy as np
from measure import measure
import torch
from monai.inferers import sliding_window_inference

who, model, path, window = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


def onnx_predictor():
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: torch.from_numpy(session.run(None, {name: x.numpy()})[0])


def torch_predictor():
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(model).graph
    weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    layers = []
    for node in graph.node:
        given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Conv":
            weight = weights[node.input[1]]
            pads = given.get("pads", [0] * 6)
            assert pads[:3] == pads[3:], "uneven padding"
            layer = torch.nn.Conv3d(
                weight.shape[1],
                weight.shape[0],
                tuple(weight.shape[2:]),
                stride=tuple(given.get("strides", (1, 1, 1))),
                padding=tuple(pads[:3]),
                dilation=tuple(given.get("dilations", (1, 1, 1))),
                bias=len(node.input) > 2,
            )
            layer.weight.data = weight
            if len(node.input) > 2:
                layer.bias.data = weights[node.input[2]]
            layers.append(layer)
        elif node.op_type == "Relu":
            layers.append(torch.nn.ReLU(inplace=True))
        elif node.op_type == "Elu":
            layers.append(torch.nn.ELU(given.get("alpha", 1.0), inplace=True))
        else:
            raise SystemExit(f"no twin in PyTorch for {node.op_type}")
    return torch.nn.Sequential(*layers).eval()


predict = onnx_predictor() if who == "onnxruntime" else torch_predictor()


def work():
    with torch.inference_mode():
        volume = np.load(path).transpose(2, 1, 0)  # MONAI indexes [x][y][z]
        low, high = float(volume.min()), float(volume.max())
        image = torch.from_numpy(((volume - np.float32(low)) / np.float32(high - low))[None, None])
        logits = sliding_window_inference(image, (window,) * 3, 1, predict, overlap=0.5, mode="gaussian")
        return logits.argmax(dim=1).to(torch.uint8)


def check(labels):
    if who == "torch":
        # The twin must be the same network: same patch, same numbers.
        with torch.inference_mode():
            patch = torch.rand((1, 1, 24, 24, 24), generator=torch.Generator().manual_seed(1))
            worst = float((predict(patch) - onnx_predictor()(patch)).abs().max())
        assert worst < 1e-4, f"PyTorch twin differs from the ONNX network by {worst}"
    return [int(n) for n in torch.bincount(labels.flatten(), minlength=3)]


measure(work, check=check)
