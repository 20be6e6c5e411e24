"""Numbers as a person reads them, in English or French."""

from __future__ import annotations


def format_number(value: float, lang: str = "en", spec: str = ".4g") -> str:
    """Write a number with the decimal mark of the language.

    Examples
    --------
    >>> format_number(6.5, "fr")
    '6,5'
    """
    text = format(value, spec)
    return text.replace(".", ",") if lang == "fr" else text


def format_percent(probability: float) -> str:
    """Write a probability as a whole percentage, never rounded to 0 or 100.

    Examples
    --------
    >>> format_percent(0.467), format_percent(0.001), format_percent(0.995)
    ('47 %', '< 1 %', '> 99 %')
    """
    # by what is rounded: 0.005 is written 0, and 0.995 is written 100
    text = f"{probability:.0%}".replace("%", " %")
    return {"0 %": "< 1 %", "100 %": "> 99 %"}.get(text, text)


def format_hundred(probability: float, lang: str = "en") -> str:
    """Write a probability as a number in 100, never rounded to 0 or 100.

    Examples
    --------
    >>> format_hundred(0.524), format_hundred(0.001), format_hundred(0.999, "fr")
    ('52', 'fewer than 1', 'plus de 99')
    """
    if probability < 0.005:
        return "moins de 1" if lang == "fr" else "fewer than 1"
    if probability > 0.995:
        return "plus de 99" if lang == "fr" else "more than 99"
    return f"{100.0 * probability:.0f}"


def signed(value: float, lang: str) -> str:
    """Number with its sign to two decimals; nothing has none.

    Examples
    --------
    >>> signed(0.5, "fr"), signed(-0.001, "en"), signed(0.0, "en")
    ('+0,50', '0.00', '0.00')
    """
    text = format_number(value, lang, "+.2f")
    return text[1:] if not text.strip("+-0.,") else text
