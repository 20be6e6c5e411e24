#!/usr/bin/env bash
# A form knows its reader's language and has Babel read numbers in it. A relief of
# "12,5" in English, or "0.45" in German, is not how that language writes numbers; one
# expects a refusal.
# Seen: the other language's decimal mark is taken for a separator of thousands and
# removed wherever it stands: 12,5 becomes 125 and 0.45 becomes 45. strict=True refuses.
# Hurt: the study nurse with a French keyboard and an English screen: a dose of 1,5 mA
# becomes 15 mA, a fraction of 0.45 becomes the 45 % that looks right by accident.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile babel==2.19.0
HOME="$work" venv/bin/python - <<'PY'
import babel
from babel.numbers import NumberFormatError, parse_decimal

typed = [("12,5", "en"), ("1,5", "en"), ("0.45", "de"), ("3.50", "de"), ("12.5", "es")]
seen = [str(parse_decimal(text, locale=locale)) for text, locale in typed]
print("babel", babel.__version__)
print("typed:    ", typed)
print("expected: refused, or read as decimals")
print("seen:     ", seen)
assert seen == ["125", "15", "45", "350", "125"]
for text, locale in typed:
    try:
        parse_decimal(text, locale=locale, strict=True)
    except NumberFormatError:
        continue
    raise AssertionError((text, locale))
PY
