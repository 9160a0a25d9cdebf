"""An inference service in the way of Arterys' SDK, written from specs/protocols.md 4.2-4.5: Flask under its own server, the multipart
decoder of requests-toolbelt, numpy masks, pydicom for the header, SHA-256 over all that comes and goes. Argument: port."""
import hashlib
import json
import logging
import sys
from io import BytesIO

import numpy
import pydicom
from flask import Flask, Response, request
from requests_toolbelt.multipart.decoder import MultipartDecoder
from requests_toolbelt.multipart.encoder import MultipartEncoder

app = Flask(__name__)


@app.route("/ping", methods=["GET", "POST"])
def ping():
    return "The inference service of this address is up now.\n"


@app.post("/")
def infer():
    content_type = request.content_type or ""
    if not content_type.startswith("multipart/related"):
        return "multipart/related only", 400
    parts = MultipartDecoder(request.get_data(), content_type).parts
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.content)
    json.loads(parts[0].text)
    answer, masks = block([BytesIO(part.content) for part in parts[1:]])
    text = json.dumps(answer).encode()
    produced = hashlib.sha256(text)
    fields = [("json-body", ("json-body", text, "application/json"))]
    for index, mask in enumerate(masks):
        content = mask.tobytes()
        produced.update(content)
        fields.append((f"elem_{index}", (f"elem_{index}", content, "application/binary")))
    hashes = f"{digest.hexdigest()}:{produced.hexdigest()}".encode()
    fields.append(("hashes", ("hashes", hashes, "text/plain")))
    encoder = MultipartEncoder(fields)
    related = encoder.content_type.replace("multipart/form-data", "multipart/related")
    return Response(encoder.to_string(), content_type=related)


def block(files):
    """A block that grows from slice to slice, over the series of the first image."""
    first = pydicom.dcmread(files[0], stop_before_pixels=True)
    depth, height, width = len(files), int(first.Rows), int(first.Columns)
    mask = numpy.zeros((depth, height, width), numpy.uint8)
    for index in range(depth):
        half_x, half_y = int(index / depth * (width // 2)), int(index / depth * (height // 2))
        x, y = width // 2, height // 2
        mask[index, y - half_y : y + half_y, x - half_x : x + half_x] = 255
    shape = {"timepoints": 1, "depth": depth, "width": width, "height": height}
    part = {
        "label": "Mock seg",
        "binary_type": "probability_mask",
        "binary_data_shape": shape,
        "SeriesInstanceUID": str(first.SeriesInstanceUID),
    }
    return {"protocol_version": "1.0", "parts": [part]}, [mask]


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app.run(host="127.0.0.1", port=int(sys.argv[1]), threaded=True)
