"""A Flask server with one authenticated GET and one upload: written to disk in chunks, fsync, rename, then 202. As a script it runs
under werkzeug's threaded server; gunicorn imports `app`."""
import hashlib
import hmac
import logging
import os
import sys
import uuid

from flask import Flask, abort, request

CHUNK = 1 << 20
FOLDER = os.environ["BENCH_FOLDER"]
# As we do, only the hash of the key is kept.
KEY_HASH = hashlib.sha256(os.environ["BENCH_KEY"].encode()).digest()
app = Flask(__name__)


def check_key():
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(hashlib.sha256(given.encode()).digest(), KEY_HASH):
        abort(401)


@app.get("/me")
def me():
    check_key()
    return {"kind": "key", "id": "bench", "name": "bench", "role": "administrator"}


@app.post("/upload")
def upload():
    check_key()
    name = str(uuid.uuid4())
    path = os.path.join(FOLDER, name)
    with open(path + ".part", "wb") as file:
        while chunk := request.stream.read(CHUNK):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".part", path)
    # Without this the name may be gone after a power cut, although the bytes are there.
    folder = os.open(FOLDER, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return {"id": name}, 202


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app.run(host="127.0.0.1", port=int(sys.argv[1]), threaded=True)
