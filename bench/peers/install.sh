#!/usr/bin/env bash
# Installs the peers that `npm run bench` measures beside us, into bench/.peers (several GB: PyTorch is among them).
# Usage: bash bench/peers/install.sh        needs python3 with venv, and apt-get for plastimatch.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .peers/venv
.peers/venv/bin/pip install --disable-pip-version-check \
  pydicom==3.0.2 numpy==2.4.6 scipy==1.17.1 SimpleITK==2.5.7 rt-utils==1.2.7 highdicom==0.28.2 dcmrtstruct2nii==5 \
  nibabel==5.4.2 onnx onnxruntime==1.31.1 monai==1.6.1 torch==2.15.0
command -v plastimatch >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends plastimatch; }
echo 'Peers are ready: npm run bench'
