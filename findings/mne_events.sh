#!/usr/bin/env bash
# Sessions are annotated "active" or "sham", and MNE turns annotations into numbered
# events. One expects a number to mean the same in every file, and every annotation to
# be there.
# Seen: numbers are given by alphabetical order within the file: in a file with both,
# active is 1; in a file of a patient who had sham only, sham is 1. And annotations that
# begin with "bad" or "edge" in any case are left out, be it the "Edge of the hand knob".
# Hurt: the data scientist who pools patients by event number and compares sham with a
# mixture, and the neurosurgeon whose best target has no events.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile mne==1.13.2 numpy==2.4.6 scipy==1.17.1
HOME="$work" venv/bin/python - <<'PY'
import mne
import numpy as np

mne.set_log_level("ERROR")


def events(*descriptions):
    raw = mne.io.RawArray(np.zeros((1, 2560)), mne.create_info(["C3"], 256, "eeg"))
    onsets = np.arange(1, len(descriptions) + 1)
    raw.set_annotations(mne.Annotations(onsets, 0, descriptions))
    found, numbers = mne.events_from_annotations(raw)
    return len(found), numbers


both, sham_only = events("active", "sham"), events("sham")
targets = events("Edge of the hand knob", "Badly tolerated site", "hotspot")
print("mne", mne.__version__)
print("expected: sham has one number; three targets")
print("seen:    ", both, sham_only, targets)
assert both == (2, {"active": 1, "sham": 2})
assert sham_only == (1, {"sham": 1})
assert targets == (1, {"hotspot": 1})
PY
