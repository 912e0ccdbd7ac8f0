"""A language is a file: what a translator adds is spoken and written, what they got wrong is said in English instead."""

from pathlib import Path

import pytest

from notifications.render import LANGUAGES, UnknownField, best_language, catalogue, render, render_sms
from notifications.render.catalogue import Catalogue, is_right_to_left
from notifications.render.text import FIELDS
from notifications.render.voice import ask

HERE = Path(catalogue.__file__).parent / "locale"
LINK = "https://amaan.example/a/0123456789ab"
PARAMS = {"category": "طبی امداد", "area": "صدر", "city": "Lahore", "link": LINK, "nonce": "k7f2bz", "reply": "1"}
SINDHI = """
msgid ""
msgstr "Language: sd\\nContent-Type: text/plain; charset=utf-8\\n"

msgid "assignment_offered.sms"
msgstr ""
"امان: {category}، {area}\\n"
"{link}\\n"
"{where}\\n"
"{replies}\\n"
"حوالو {nonce}"

msgid "assignment_offered.sms_replies"
msgstr "{reply}a قبول، {reply}d نه"

msgid "any.push_title"
msgstr "امان"

msgid "call_declined.voice"
msgstr "چڱو"
"""
VOICE = """
msgid "voice.locale"
msgstr "sd-PK"

msgid "voice.name"
msgstr "Some.sd-PK-Voice"
"""


def with_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes) -> Catalogue:
    """The catalogue as it is with one file more, `sd.po`, and no other change."""
    for language in LANGUAGES:
        (tmp_path / f"{language}.po").write_bytes((HERE / f"{language}.po").read_bytes())
    (tmp_path / "sd.po").write_bytes(text if isinstance(text, bytes) else text.encode())
    made = Catalogue(tmp_path)
    monkeypatch.setattr(catalogue, "CATALOGUE", made)
    return made


class TestAThirdLanguage:
    def test_it_is_written_by_adding_its_file_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert best_language("sd-PK") == "en"
        with_language(tmp_path, monkeypatch, SINDHI)
        assert best_language("sd-PK") == "sd"
        sms = render_sms("assignment_offered", "sd-PK", PARAMS | {"variant": "priority"})
        assert sms.text == f"امان: طبی امداد، صدر\n{LINK}\n1a قبول، 1d نه\nحوالو k7f2bz"
        assert (sms.encoding, sms.segments) == ("ucs2", 2)
        assert is_right_to_left("sd")

    def test_what_it_does_not_say_yet_is_said_in_english(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with_language(tmp_path, monkeypatch, SINDHI)
        assert "is your Amaan code" in render("otp", "sms", "sd", {"code": "123456"})
        assert render("incident_updated", "push_title", "sd", {}) == "امان"
        assert render("incident_updated", "push_body", "sd", {}) == "There is news for you."

    def test_it_is_spoken_once_it_names_a_voice(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with_language(tmp_path, monkeypatch, SINDHI)
        assert "next person" in render("call_declined", "voice", "sd", {}), "nobody can say it yet"
        assert 'language="en-GB"' in ask("x", "sd", "https://a.example/v")
        with_language(tmp_path, monkeypatch, SINDHI + VOICE)
        assert render("call_declined", "voice", "sd", {}) == "چڱو"
        assert 'language="sd-PK" voice="Some.sd-PK-Voice"' in ask("x", "sd", "https://a.example/v")

    @pytest.mark.parametrize(
        "wrong", ["{category}, {areas}", "{category", "{category.__class__} {area}", "{0} {area}", "{category} alone"]
    )
    def test_a_wrong_field_is_found_and_the_text_left_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
    ) -> None:
        text = f'{SINDHI}\nmsgid "assignment_withdrawn.sms"\nmsgstr "{wrong}"\n'
        made = with_language(tmp_path, monkeypatch, text)
        assert list(made.problems("sd")) == ["assignment_withdrawn.sms"]
        assert "in other hands" in render("assignment_withdrawn", "sms", "sd", PARAMS)
        assert "قبول" in render("assignment_offered", "sms", "sd", PARAMS), "the rest of the file is used"

    @pytest.mark.parametrize("broken", [b'msgid "a\nmsgstr', b"\xff\xfe\x00", b""])
    def test_a_file_that_cannot_be_read_leaves_english(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: bytes
    ) -> None:
        with_language(tmp_path, monkeypatch, broken)
        assert "is your Amaan code" in render("otp", "sms", "sd", {"code": "123456"})


class TestFields:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_each_text_names_only_what_is_filled_in(self, language: str) -> None:
        """A field that nothing fills would stop the message that has it."""
        texts = catalogue.CATALOGUE.written(language)
        named = {
            name: set(catalogue.placeholders(text)) - FIELDS for name, text in texts.items() if name[:5] != "word."
        }
        assert {name: fields for name, fields in named.items() if fields} == {}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_each_language_has_the_fields_of_english(self, language: str) -> None:
        assert catalogue.CATALOGUE.problems(language) == {}

    def test_an_unknown_field_is_a_clear_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "en.po").write_text('msgid "odd.sms"\nmsgstr "{who_knows}"\n')
        monkeypatch.setattr(catalogue, "CATALOGUE", Catalogue(tmp_path))
        with pytest.raises(UnknownField, match="who_knows"):
            render("odd", "sms", "en", {"who_knows": "me"})

    @pytest.mark.parametrize(
        "written", ["{link}", "{who_knows}", "{0}", "%(link)s", "${link}", "{{link}}", "{category!r}"]
    )
    def test_a_field_in_what_people_wrote_is_only_text(self, written: str) -> None:
        told = render("guardian_alerted", "sms", "en", {"first_name": written, "link": LINK})
        assert told.count(LINK) == 1
        assert "{" not in told


LONG = {
    "letters": "x" * 5000,
    "words": "help me " * 625,
    "urdu": "مدد " * 1250,
    "emoji": "🚨" * 5000,
    "flags": "🇵🇰" * 2500,
    "family": "👨‍👩‍👧‍👦" * 700,
    "marks": "a" + "\u0301" * 4999,
    "bidi": "\u202e\u2066\u2067\u061c" * 1250,
    "lines": "a\r\n" * 1666,
    "nul": "\x00" * 5000,
    "escapes": "€^{}[]~|" * 625,
}


class TestWhatPeopleWrite:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("kind", LONG)
    def test_five_thousand_characters_make_two_segments_and_the_link_stays(self, kind: str, language: str) -> None:
        written = dict.fromkeys(("category", "area", "first_name", "city", "what"), LONG[kind])
        for purpose in ("assignment_offered", "guardian_alerted", "notice", "supervisor_called"):
            sms = render_sms(purpose, language, {**PARAMS, **written, "page": LINK})
            assert sms.segments <= 2, purpose
            assert (LINK in sms.text.split("\n")) is (purpose != "supervisor_called")
            assert not set(sms.text) & set("\u202e\u2066\u2067\u061c\x00\r🚨")

    @pytest.mark.parametrize("kind", LONG)
    def test_the_same_is_said_on_a_call_in_one_line(self, kind: str) -> None:
        said = render("supervisor_called", "voice", "ur", PARAMS | {"category": LONG[kind], "area": LONG[kind]})
        assert len(said) < 500
        assert "\n" not in said
