"""Numbers as a person reads them, in English or French."""

from __future__ import annotations

# From here on thousands stand apart.
_THOUSANDS_FROM = 10_000
# French marks: a comma before decimals, a narrow space that does not break.
_FRENCH = str.maketrans({".": ",", ",": "\N{NARROW NO-BREAK SPACE}"})


def format_number(value: float, lang: str = "en", spec: str = ".4g") -> str:
    """Write a number with the marks of the language; thousands apart from 10 000 on.

    What rounds to nothing has no minus.

    Examples
    --------
    >>> format_number(6.5, "fr"), format_number(586656.0, "en", ".0f")
    ('6,5', '586,656')
    >>> format_number(-0.004, "fr", ".2f"), format_number(-0.006, "en", ".2f")
    ('0,00', '-0.01')
    """
    if spec.endswith("f") and abs(value) >= _THOUSANDS_FROM:
        spec = spec.replace(".", ",.")
    text = format(value, spec)
    if not text.strip("-0."):
        text = text.removeprefix("-")
    return text.translate(_FRENCH) if lang == "fr" else text


def is_one(value: float, lang: str) -> bool:
    """Whether a word after a number is singular: after 1, in French below 2 too.

    Examples
    --------
    >>> is_one(1, "en"), is_one(0, "en"), is_one(0, "fr"), is_one(1.5, "fr")
    (True, False, True, True)
    """
    return abs(value) < 2 if lang == "fr" else abs(value) == 1


def format_percent(probability: float) -> str:
    """Write a probability as a whole percentage, never rounded to 0 or 100.

    Examples
    --------
    >>> format_percent(0.467), format_percent(0.001), format_percent(0.995)
    ('47 %', '< 1 %', '> 99 %')
    """
    n = of_100(probability)
    return {0: "< 1 %", 100: "> 99 %"}.get(n, f"{n} %")


def format_hundred(probability: float, lang: str = "en") -> str:
    """Write a probability as a number in 100, never rounded to 0 or 100.

    Examples
    --------
    >>> format_hundred(0.524), format_hundred(0.005), format_hundred(0.999, "fr")
    ('52', 'fewer than 1', 'plus de 99')
    """
    n = of_100(probability)
    if n == 0:
        return "moins de 1" if lang == "fr" else "fewer than 1"
    if n == 100:
        return "plus de 99" if lang == "fr" else "more than 99"
    return str(n)


def of_100(probability: float) -> int:
    """Whole number in 100: what every sentence, table and drawing rounds by.

    Examples
    --------
    >>> of_100(0.524), of_100(0.001)
    (52, 0)
    """
    return round(100.0 * probability)


def signed(value: float, lang: str) -> str:
    """Number with its sign to two decimals; nothing has none.

    Examples
    --------
    >>> signed(0.5, "fr"), signed(-0.001, "en"), signed(0.0, "en")
    ('+0,50', '0.00', '0.00')
    """
    text = format_number(value, lang, "+.2f")
    return text.lstrip("+-") if not text.strip("+-0.,") else text


def signed_points(value: float, lang: str) -> str:
    """Whole number of points with its sign; none has none.

    Examples
    --------
    >>> signed_points(3.8, "fr"), signed_points(-0.3, "en")
    ('+4', '0')
    """
    text = format_number(value, lang, "+.0f")
    return text.lstrip("+-") if not text.strip("+-0") else text
