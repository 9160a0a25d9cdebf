"""A SegInt-R server as its fact sheet describes the old one, written by us: Django's development server, one process, the task run
in the request that posts it ("eager"). Raw message and result are files, the job is a row in SQLite. Arguments: port, folder, .proto folder."""
import gzip
import logging
import os
import sqlite3
import subprocess
import sys
import uuid

import django
import numpy as np
from django.conf import settings
from django.core.servers.basehttp import WSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

PORT, FOLDER, PROTO = int(sys.argv[1]), sys.argv[2], sys.argv[3]
subprocess.run(
    [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", f"--python_out={FOLDER}",
     f"{PROTO}/Model.proto", f"{PROTO}/Primitives3D.proto"],
    check=True,
)
sys.path.insert(0, FOLDER)
import Model_pb2  # noqa: E402
import Primitives3D_pb2  # noqa: E402

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="bench", DATA_UPLOAD_MAX_MEMORY_SIZE=None)
DATABASE = os.path.join(FOLDER, "jobs.sqlite3")
HALF = 30


def rows(statement, *values):
    with sqlite3.connect(DATABASE) as connection:
        return connection.execute(statement, values).fetchall()


def phantom(volume):
    """One block, as a numpy slice of the decoded voxels' shape."""
    shape = (volume.Depth, volume.Height, volume.Width)
    voxels = np.frombuffer(gzip.decompress(volume.Data), dtype="<i2").reshape(shape)
    mask = np.zeros(voxels.shape, dtype=np.uint8)
    quarter = int(shape[0] / 4)
    y, x = shape[1] / 2, shape[2] / 2
    mask[quarter:3 * quarter, int(y - HALF):int(y + HALF), int(x - HALF):int(x + HALF)] = 1
    return mask


def segment(segmentation, model_id, source, target):
    with open(source, "rb") as file:
        message = Model_pb2.ModelInput()
        message.ParseFromString(file.read())
    output = Model_pb2.ModelOutput(ModelID=model_id, ProcesserVersion="0.1", LanguageCode="en")
    for channel in message.Channels:
        volume = channel.CalibratedVolume.Volume
        made = output.Channels.add()
        made.Structure.Name = "liver"
        made.Volume.Width, made.Volume.Height, made.Volume.Depth = volume.Width, volume.Height, volume.Depth
        made.Volume.Data = gzip.compress(phantom(volume).tobytes())
        made.Volume.DataType = Primitives3D_pb2.VolumeData3D.Byte
    with open(target, "wb") as file:
        file.write(output.SerializeToString())
    rows("update job set output = ? where id = ?", target, segmentation)


def start(request, model_id):
    message = Model_pb2.ModelInput()
    message.ParseFromString(request.body)
    segmentation = str(uuid.uuid4())
    source = os.path.join(FOLDER, f"Segmentation_{segmentation}.pb")
    with open(source, "wb") as file:
        file.write(request.body)
    rows("insert into job (id, model, input) values (?, ?, ?)", segmentation, model_id, source)
    segment(segmentation, model_id, source, os.path.join(FOLDER, f"Result{segmentation}.pb"))
    task = Model_pb2.SegmentationTask(SegmentationID=segmentation)
    task.StartTime.GetCurrentTime()
    return HttpResponse(task.SerializeToString())


def progress(request, model_id, segmentation):
    [(output,)] = rows("select output from job where id = ? and model = ?", segmentation, model_id)
    return HttpResponse(Model_pb2.SegmentationProgress(Progress=100 if output else 0).SerializeToString())


def result(request, model_id, segmentation):
    [(source, output)] = rows("select input, output from job where id = ? and model = ?", segmentation, model_id)
    with open(output, "rb") as file:
        message = Model_pb2.ModelOutput()
        message.ParseFromString(file.read())
    rows("delete from job where id = ?", segmentation)
    os.remove(source)
    os.remove(output)
    return HttpResponse(message.SerializeToString())


def ping(request):
    return HttpResponse(Model_pb2.ApiInformation(Version="bench").SerializeToString())


urlpatterns = [
    path("ping", ping),
    path("api/v2/Model/<str:model_id>/segmentation", start),
    path("api/v2/Model/<str:model_id>/segmentation/<str:segmentation>", progress),
    path("api/v2/Model/<str:model_id>/segmentation/<str:segmentation>/result", result),
]

rows("create table job (id text primary key, model text, input text, output text)")
django.setup()
logging.disable(logging.CRITICAL)
server = WSGIServer(("127.0.0.1", PORT), WSGIRequestHandler)
server.set_app(get_wsgi_application())
server.serve_forever()
