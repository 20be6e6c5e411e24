#!/usr/bin/env bash
# EDF recordings say the unit of each channel. A stimulator's current in mA, its output
# in percent, a potential in nV: one expects MNE to convert, or to say that it cannot.
# Seen: uV and mV are converted to volts; every other unit is taken for volts as it is,
# and the channel is called EEG: 50 nV are 50 V, 2 mA are 2 V, 90 % are 90 V.
# Hurt: the data scientist who averages "EEG" channels with the stimulator's among them,
# or compares responses in nV with those in uV of another device: nine orders of
# magnitude.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    mne==1.13.2 pyEDFlib==0.1.42 numpy==2.4.6 scipy==1.17.1
HOME="$work" venv/bin/python - <<'PY'
import mne
import numpy as np
import pyedflib

mne.set_log_level("WARNING")


def read_back(unit, value):
    header = pyedflib.highlevel.make_signal_header(
        "stimulator", dimension=unit, sample_frequency=256
    )
    writer = pyedflib.EdfWriter("device.edf", 1, file_type=pyedflib.FILETYPE_EDFPLUS)
    writer.setSignalHeaders([header])
    writer.writeSamples([np.full(2560, float(value))])
    writer.close()
    raw = mne.io.read_raw_edf("device.edf", preload=True)
    return round(float(raw.get_data()[0, 0]), 6), raw.get_channel_types()[0]


stored = {"uV": 50, "mV": 50, "nV": 50, "mA": 2, "%": 90}
seen = {unit: read_back(unit, value) for unit, value in stored.items()}
print("mne", mne.__version__, "stored:", stored)
print("expected (volts): 5e-5, 0.05, 5e-8, and no volts for mA and %")
print("seen:            ", seen)
volts = {unit: value for unit, (value, _) in seen.items()}
assert np.isclose(volts["uV"], 5e-5, rtol=0.1) and np.isclose(volts["mV"], 0.05, rtol=0.1)
assert np.allclose([volts["nV"], volts["mA"], volts["%"]], [50, 2, 90], atol=0.02)
assert {kind for _, kind in seen.values()} == {"eeg"}
PY
