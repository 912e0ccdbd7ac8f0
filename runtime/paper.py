"""Sheets of text as PDF, in English and in Urdu: shaped by HarfBuzz and set right to left by the Unicode bidirectional
algorithm (fpdf2 does both), in Noto Sans and Noto Nastaliq Urdu of Debian's fonts-noto-core.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fpdf import FPDF

from domain.errors import Unavailable

FACES: Final = {"en": "NotoSans-Regular.ttf", "ur": "NotoNastaliqUrdu-Regular.ttf"}
_NUMBER: Final = re.compile(r"\+\d[\d ]{5,15}\d")
_LEADING: Final = {"en": 5.5, "ur": 10.5}
"""Millimetres a line: Nastaliq falls across it."""
_SIZE: Final = {"en": 10.5, "ur": 12.0}


class FontsMissing(Unavailable):
    """The fonts that the document is set in are not on this machine: install fonts-noto-core."""

    code = "fonts_missing"


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it: pairs of label and text; a label may be empty."""

    heading: str
    rows: Sequence[tuple[str, str]]


def sheet(title: str, sections: Sequence[Section], *, fonts: Path) -> bytes:
    """The document, A4. Its file says nothing of what it is: no title, no author. Raises FontsMissing."""
    pdf = _document(fonts)

    def write(text: str, *, scale: float = 1.0, grey: int = 0, above: float = 0.0) -> None:
        for line in filter(None, text.split("\n")):
            face = _script(line)
            pdf.ln(above)
            pdf.set_font(face, size=_SIZE[face] * scale)
            pdf.set_text_color(grey)
            side: Any = "R" if face == "ur" else "L"
            pdf.multi_cell(0, _LEADING[face] * scale, _one_number(line), align=side, new_x="LMARGIN", new_y="NEXT")

    write(title, scale=1.5)
    for section in sections:
        write(section.heading, scale=1.2, above=4.0)
        for label, text in section.rows:
            write(label, scale=0.85, grey=110)
            write(text)
    return bytes(pdf.output())


def _script(text: str) -> str:
    """The face of a line: Urdu's as soon as a letter of it is Arabic, whatever the document's language."""
    return "ur" if any("\u0600" <= letter <= "\u06ff" for letter in text) else "en"


def _one_number(text: str) -> str:
    """A phone number keeps its plus before it in a line that runs right to left (U+200E, Unicode's left-to-right mark)."""
    return _NUMBER.sub("\u200e\\g<0>\u200e", text)


def _document(fonts: Path) -> FPDF:
    pdf = FPDF(format="A4")
    try:
        for name, file in FACES.items():
            pdf.add_font(name, fname=str(fonts / file))
    except FileNotFoundError as error:
        raise FontsMissing("the fonts are not installed", retry_after=3600) from error
    pdf.set_text_shaping(True)
    pdf.set_fallback_fonts(list(FACES), exact_match=False)
    pdf.set_auto_page_break(True, margin=18)
    pdf.set_margins(18, 18)
    pdf.set_creator("")
    pdf.set_producer("")
    pdf.add_page()
    return pdf
