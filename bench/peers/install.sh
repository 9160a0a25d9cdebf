#!/usr/bin/env bash
# Installs the peers that `npm run bench` measures beside us, into bench/.peers (several GB: PyTorch is among them).
# Usage: bash bench/peers/install.sh        needs python3 with venv, npm, and apt-get for plastimatch, Orthanc and wrk.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .peers/venv
.peers/venv/bin/pip install --disable-pip-version-check \
  pydicom==3.0.2 numpy==2.4.6 scipy==1.17.1 SimpleITK==2.5.7 rt-utils==1.2.7 highdicom==0.28.2 dcmrtstruct2nii==5 \
  nibabel==5.4.2 onnx onnxruntime==1.31.1 monai==1.6.1 torch==2.15.0 packaging \
  flask==3.1.3 gunicorn==27.0.1 fastapi==0.165.0 uvicorn==0.54.0 uvloop==0.23.0 httptools==0.9.0 \
  django==5.2.19 grpcio-tools==1.85.1 requests-toolbelt==1.0.0
# An environment of its own: it wants older versions of what the others need.
python3 -m venv .peers/monailabel
.peers/monailabel/bin/pip install --disable-pip-version-check monailabel==0.8.5 ||
  { rm -rf .peers/monailabel; echo 'MONAI Label does not install here: its row will say so'; }
mkdir -p .peers/npm
npm install --prefix .peers/npm --no-audit --no-fund graphile-worker@0.17.3
missing=()
command -v plastimatch >/dev/null || missing+=(plastimatch)
command -v Orthanc >/dev/null || missing+=(orthanc)
[ -e /usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so ] || missing+=(orthanc-postgresql)
command -v wrk >/dev/null || missing+=(wrk)
[ ${#missing[@]} -eq 0 ] || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; }
echo 'Peers are ready: npm run bench'
