#!/usr/bin/env bash
# A map of the electric field (V/m), or a mask of lesions with labels 1, 2 and 17, is
# saved beside the patient's MRI with the header of the MRI, so that it overlays. One
# expects the numbers that were saved.
# Seen: nibabel keeps the MRI's one-byte type and scales: a field of 1.0 V/m comes back
# as 0.88, 0.03 as 0, label 2 as 2.004, so that the lesion "== 2" has no voxel at all.
# Hurt: the data scientist who relates dose at the cortex, or lesion volume, to response
# (volume 0 for everybody), and the physician who reads which tract is spared.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile nibabel==5.4.2 numpy==2.4.6
HOME="$work" venv/bin/python - <<'PY'
import nibabel
import numpy as np

voxels = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), "mri.nii.gz")
mri = nibabel.load("mri.nii.gz")


def save_and_load(values, header):
    nibabel.save(nibabel.Nifti1Image(values, mri.affine, header), "map.nii.gz")
    return nibabel.load("map.nii.gz").get_fdata()


labels, field = np.zeros((3, 3, 3)), np.zeros((3, 3, 3))
labels[0], labels[1], labels[2] = 1, 2, 17
field[0, 0], field[1, 1], field[2, 2] = 112.7, 1.0, 0.03

mask = save_and_load(labels, mri.header)
dose = save_and_load(field, mri.header)
plain = save_and_load(field, None)
print("nibabel", nibabel.__version__)
print("expected: 9 voxels of label 2; field 112.7, 1.0, 0.03")
depth = [round(float(dose[i, i, 0]), 3) for i in range(3)]
print("seen:    ", int((mask == 2).sum()), "voxels; field", depth)
assert (mask == 2).sum() == 0 and (np.round(mask) == 2).sum() == 9
assert abs(dose[1, 1, 0] - 1) > 0.1 and dose[2, 2, 0] == 0
assert np.array_equal(plain, field)
PY
