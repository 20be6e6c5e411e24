#!/usr/bin/env bash
# A model in use is watched patient by patient. Every responder got 44 % and every other
# patient 36 %: discrimination is perfect, and one expects an area under the curve of 1.
# Seen: river's ROCAUC says 0.5, no better than chance: it counts at ten thresholds,
# and 0.36 and 0.44 lie between the same two of them. scikit-learn says 1.
# Hurt: the data scientist who retires a model whose predictions, as is usual here, lie
# in a narrow band, and every patient scored with its successor.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    river==0.26.1 scikit-learn==1.9.1 numpy==2.2.6 scipy==1.14.1 pandas==3.1.1
HOME="$work" venv/bin/python - <<'PY'
import river
from river import metrics
from sklearn.metrics import roc_auc_score

responded = [True, False, False, True, False] * 12
predicted = [0.44 if outcome else 0.36 for outcome in responded]


def streamed(**options):
    metric = metrics.ROCAUC(**options)
    for outcome, risk in zip(responded, predicted, strict=True):
        metric.update(outcome, risk)
    return round(metric.get(), 3)


seen, fine = streamed(), streamed(n_thresholds=100)
right = roc_auc_score(responded, predicted)
print("river", river.__version__)
print("expected:", right)
print("seen:    ", seen, "with the default; with 100 thresholds", fine)
assert right == 1.0
assert seen == 0.5 and fine > 0.99
PY
