#!/usr/bin/env bash
# A train of 50 pulses at 10 Hz is written into an EDF+ recording, a note of an adverse
# event beside it. One expects to read 50 pulses and the note.
# Seen: pyedflib has room for one annotation a second (a record) by default, drops the
# other pulses without a word, and cuts texts after 40 letters: "patient reports a
# seizure" loses the seizure. set_number_of_annotation_signals makes room.
# Hurt: the neurophysiologist who counts pulses as the dose given, and whoever looks
# for adverse events in the annotations.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile pyEDFlib==0.1.42 numpy==2.4.6
HOME="$work" venv/bin/python - <<'PY'
import numpy as np
import pyedflib

SECONDS, RATE = 20, 256
note = "10 Hz over left M1, 90 % RMT, patient reports a seizure"


def read_back(annotations, room=None):
    writer = pyedflib.EdfWriter("session.edf", 1, file_type=pyedflib.FILETYPE_EDFPLUS)
    header = pyedflib.highlevel.make_signal_header("C3", sample_frequency=RATE)
    writer.setSignalHeaders([header])
    if room:
        writer.set_number_of_annotation_signals(room)
    writer.writeSamples([np.zeros(SECONDS * RATE)])
    codes = {writer.writeAnnotation(onset, -1, text) for onset, text in annotations}
    writer.close()
    with pyedflib.EdfReader("session.edf") as reader:
        return codes, list(reader.readAnnotations()[2])


pulses = [(5 + i / 10, "pulse") for i in range(50)]
codes, few = read_back(pulses)
roomy = read_back(pulses, room=3)[1]
text = str(read_back([(1.0, note)])[1][0])
print("pyEDFlib", pyedflib.__version__)
print("expected: 50 pulses;", repr(note))
print("seen:    ", len(few), "pulses;", repr(text), "; return codes", codes)
print("with room for 3 a second:", len(roomy), "pulses")
assert len(few) == SECONDS and len(roomy) == 50
assert codes == {0}
assert text == note[:40] and "seizure" not in text
PY
