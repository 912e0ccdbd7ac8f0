"""What people read: complete in every language, safe whatever others wrote, and never longer than two segments."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.render import LANGUAGES, MissingParam, NoText, best_language, distance, render, render_sms
from notifications.render.catalogue import messages, placeholders
from notifications.render.clean import clean, left_to_right, to_gsm7
from notifications.render.fit import fill
from notifications.render.segments import split

COMMANDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "YES", "START", "UNSTOP", "HELP", "INFO"}
LINK = "https://amaan.example/a/0123456789ab"
PARAMS = {
    "category": "Medical emergency",
    "area": "Gulberg III",
    "city": "Lahore",
    "first_name": "Ayesha",
    "what": "The SMS gateway has not answered for five minutes",
    "link": LINK,
    "page": LINK,
    "metres": "1234",
    "when": "24.11. 22:00",
    "reply": "1",
    "nonce": "k7f2bz",
    "code": "123456",
}
URDU = PARAMS | {
    "category": "طبی ہنگامی صورتِ حال",
    "area": "گلبرگ تھری، مین بلیوارڈ",
    "city": "لاہور",
    "first_name": "عائشہ صدیقہ",
    "what": "ایس ایم ایس گیٹ وے نے پانچ منٹ سے جواب نہیں دیا",
}
OF = {"en": PARAMS, "ur": URDU}
WITH_SMS = sorted(name.removesuffix(".sms") for name in messages("en") if name.endswith(".sms"))
WITH_VOICE = sorted(name.removesuffix(".voice") for name in messages("en") if name.endswith(".voice"))


class TestCatalogue:
    def test_every_language_says_everything(self) -> None:
        assert {language: sorted(messages(language)) for language in LANGUAGES} == {
            language: sorted(messages("en")) for language in LANGUAGES
        }

    @pytest.mark.parametrize("name", sorted(messages("en")))
    def test_every_language_names_the_same_things(self, name: str) -> None:
        assert {language: set(placeholders(messages(language)[name])) for language in LANGUAGES} == {
            language: set(placeholders(messages("en")[name])) for language in LANGUAGES
        }

    @pytest.mark.parametrize("name", sorted(name for name in messages("en") if not name.startswith("voice.")))
    def test_urdu_is_written_in_urdu(self, name: str) -> None:
        words = re.sub(r"\{\w+\}", "", messages("ur")[name])
        letters = [letter for letter in words if letter.isalpha()]
        urdu = [letter for letter in letters if "ARABIC" in unicodedata.name(letter)]
        assert len(urdu) > 0.7 * len(letters) or not letters

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_nothing_on_a_locked_screen_names_anything(self, language: str) -> None:
        pushed = {name: text for name, text in messages(language).items() if ".push_" in name}
        assert len(pushed) > 10
        public = "alert_issued.push_body"  # whoever stands by may read what everybody is told
        assert {name for name, text in pushed.items() if "{" in text} <= {public}

    def test_no_sms_has_a_word_that_carriers_take(self) -> None:
        for name, text in messages("en").items():
            if ".sms" in name:
                assert set(re.findall(r"[A-Z]+", text.upper())) & COMMANDS == set(), name

    def test_an_sms_never_names_why_it_is_discreet(self) -> None:
        for language in LANGUAGES:
            for name, text in messages(language).items():
                assert not re.search(r"silent|duress|forced|خاموش|جبر|دباؤ", text.lower()), name

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_who_asks_the_helpline_hears_and_reads_nothing_of_what_it_is(self, language: str) -> None:
        """Somebody else may hold her phone, or stand beside her."""
        hers = ("helpline_message.", "helpline_taken", "helpline_text", "helpline_call.", "helpline_call_joining")
        texts = {name: text for name, text in messages(language).items() if name.startswith(hers)}
        assert len(texts) > 8
        telling = re.compile(
            r"amaan|helpline|counsel|wom[ae]n|violen|abus|police|sos|safety|danger|emergency"
            r"|\bامان\b|ہیلپ|کونسل|مشیر|عورت|خاتون|خواتین|تشدد|پولیس|ایس او ایس|تحفظ|خطر|ہنگامی",
            re.IGNORECASE,
        )
        assert {name: text for name, text in texts.items() if telling.search(text)} == {}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_what_a_guardian_sees_on_a_locked_screen_says_nothing_of_an_alarm(self, language: str) -> None:
        texts = [text for name, text in messages(language).items() if name.startswith("guardian_") and ".push" in name]
        assert len(texts) >= 3
        assert not re.search(r"sos|emergency|danger|alarm|خطر|ہنگامی|ایس او ایس|الارم", " ".join(texts), re.IGNORECASE)

    def test_a_guardian_is_told_the_area(self) -> None:
        told = render("guardian_alerted", "sms", "ur", URDU | {"metres": ""})
        assert "گلبرگ تھری" in told

    @pytest.mark.parametrize(
        ("tag", "language"), [("ur-PK", "ur"), ("UR", "ur"), ("en_GB", "en"), ("pa-PK", "en"), ("", "en")]
    )
    def test_a_language_that_we_lack_is_english(self, tag: str, language: str) -> None:
        assert best_language(tag) == language

    def test_what_does_not_exist_is_said_so(self) -> None:
        with pytest.raises(NoText):
            render("no_such_purpose", "sms", "en", PARAMS)
        with pytest.raises(NoText):
            render("otp", "push_body", "en", PARAMS)


class TestSms:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("purpose", WITH_SMS)
    def test_each_fits_two_segments_and_shows_its_link_in_the_first(self, purpose: str, language: str) -> None:
        sms = render_sms(purpose, language, OF[language])
        assert sms.segments <= 2
        assert "{" not in sms.text
        if LINK in sms.text:
            assert f"{LINK}\n" in split(sms.text)[0] + "\n"
        assert sms.text.splitlines()[-1].endswith("k7f2bz")

    def test_an_offer_in_english_is_one_segment_of_septets(self) -> None:
        sms = render_sms("assignment_offered", "en", PARAMS)
        assert sms.text.splitlines() == [
            "Amaan: Medical emergency, Gulberg III",
            LINK,
            "1.2 km",
            "Reply 1a to accept, 1d to decline",
            "Ref k7f2bz",
        ]
        assert (sms.encoding, sms.segments) == ("gsm7", 1)

    def test_an_offer_in_urdu_keeps_who_where_and_link_in_the_first_segment(self) -> None:
        sms = render_sms("assignment_offered", "ur-PK", URDU)
        first = split(sms.text)[0]
        assert first.startswith("امان: طبی ہنگام")
        assert "گلبرگ" in first
        assert LINK in first
        assert (sms.encoding, sms.segments) == ("ucs2", 2)

    def test_reply_codes_only_for_a_number_that_can_receive(self) -> None:
        assert "1a" in render("assignment_offered", "sms", "en", PARAMS)
        assert "Reply" not in render("assignment_offered", "sms", "en", PARAMS | {"reply": ""})

    def test_a_link_and_numbers_stand_on_lines_of_their_own_direction(self) -> None:
        lines = render("guardian_alerted", "sms", "ur", URDU).splitlines()
        assert LINK in lines

    def test_a_missing_place_or_name_is_said_in_words(self) -> None:
        offer = render("assignment_offered", "sms", "en", {"link": LINK})
        assert offer == f"Amaan: Emergency, place unknown\n{LINK}"
        assert render("guardian_alerted", "sms", "en", {"link": LINK}).startswith("Amaan: Somebody raised an SOS")

    @pytest.mark.parametrize("link", ["", "javascript:alert(1)", "https://a.b/x y", "https://a.b/‮x", "ftp://a/b"])
    def test_a_link_that_is_none_is_refused(self, link: str) -> None:
        with pytest.raises(MissingParam):
            render("assignment_offered", "sms", "en", PARAMS | {"link": link})

    def test_a_missing_code_is_refused(self) -> None:
        with pytest.raises(MissingParam):
            render("otp", "sms", "en", {})

    @pytest.mark.parametrize(
        ("status", "told"),
        [
            ("acknowledged", "taken your call"),
            ("en_route", "on the way"),
            ("on_scene", "reached"),
            ("closed", "closed"),
            ("open", "news"),
            ("", "news"),
        ],
    )
    def test_an_update_says_its_status_or_nothing(self, status: str, told: str) -> None:
        assert told in render("incident_updated", "sms", "en", PARAMS | {"variant": status})

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_who_stalled_is_not_told_that_it_is_in_other_hands(self, language: str) -> None:
        stalled, handled = (
            render("assignment_withdrawn", "sms", language, OF[language] | {"variant": variant})
            for variant in ("stalled", "handled")
        )
        said = {"en": ("control room", "other hands"), "ur": ("کنٹرول روم", "سپرد")}[language]
        assert [said[0] in stalled, said[1] in stalled] == [True, False]
        assert [said[0] in handled, said[1] in handled] == [False, True]

    def test_priority_marks_the_offer(self) -> None:
        assert "URGENT" in render("assignment_offered", "sms", "en", PARAMS | {"variant": "priority"})
        assert "URGENT" not in render("assignment_offered", "sms", "en", PARAMS)

    def test_a_link_longer_than_a_segment_still_goes_out_whole(self) -> None:
        link = "https://a-very-long-host-name-that-no-city-should-have.example.org/a/" + "x" * 80
        sms = render_sms("assignment_offered", "ur", URDU | {"link": link})
        assert link in sms.text

    anything = st.text(max_size=300)

    @settings(max_examples=200, deadline=None)
    @given(
        purpose=st.sampled_from(WITH_SMS),
        language=st.sampled_from(LANGUAGES),
        category=anything,
        area=anything,
        first_name=anything,
        what=anything,
        where=anything,
        city=anything,
    )
    def test_whatever_people_wrote_it_fits_and_the_link_is_whole(
        self, purpose: str, language: str, **written: str
    ) -> None:
        sms = render_sms(purpose, language, PARAMS | written)
        template = messages(language)[f"{purpose}.sms"]
        assert sms.segments <= 2
        assert len(sms.text.split("\n")) <= len(template.split("\n"))
        if "{link}" in template or "{page}" in template:
            assert LINK in split(sms.text)[0]
            assert LINK in sms.text.split("\n")
        assert "k7f2bz" in sms.text
        hidden = [c for c in sms.text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
        assert set(hidden) <= {"\n", "\u200c", "\u200e"}
        assert sms.text.count("://") == template.count("{link}") + template.count("{page}")


class TestClean:
    @pytest.mark.parametrize(
        ("given_", "safe"),
        [
            ("Ayesha\r\nhttps://evil.example/x", "Ayesha evil example/x"),
            ("Ali\x00\x1b[31m", "Ali[31m"),
            ("\u202egro.live\u202c Sara", "gro live Sara"),
            ("S\u200ba\u2060r\ufeffa\u00ad", "Sara"),
            ("\u2066\u2067Sara\u2069\u061c\u200f\u200e", "Sara"),
            ("evil.com", "evil com"),
            ("St. John 3.5", "St. John 3.5"),
            ("{link} {0.__class__}", "link 0.__class__"),
            ("a\u0301" + "\u0301" * 20, "á\u0301\u0301"),
            ("کار\u200cکن", "کار\u200cکن"),
            ("\u200cSa\u200cra", "Sara"),
            ("  two   words \u2028 here ", "two words here"),
            ("\U000e0041\U000e0042", ""),
            ("\ud800x", "x"),
            ("𝐀𝔩𝔦 😀", "Ali"),
            ("ａｂ．ｃｏｍ", "ab com"),
        ],
    )
    def test_tricks_are_undone(self, given_: str, safe: str) -> None:
        assert clean(given_, 60) == safe

    def test_length_is_bounded(self) -> None:
        assert clean("x" * 5000, 30) == "x" * 30

    def test_typographic_marks_do_not_cost_the_alphabet(self) -> None:
        assert to_gsm7("Lāhore – “Model Town”…") == 'Lahore - "Model Town"...'
        assert to_gsm7("لاہور") == "لاہور"

    def test_signed_numbers_keep_their_sign_in_urdu(self) -> None:
        assert left_to_right("فون +92 300 1234567 پر") == "فون \u200e+92 300 1234567\u200e پر"
        assert "\u200e+92 300\u200e" in render("notice", "sms", "ur", {"what": "نمبر +92 300"})

    def test_lines_without_content_fall_away(self) -> None:
        assert fill("a\n{x}\n{x}{y}\nb", {"x": "", "y": "1"}) == "a\n1\nb"


class TestVoice:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("purpose", WITH_VOICE)
    def test_each_is_one_line_to_speak(self, purpose: str, language: str) -> None:
        told = render(purpose, "voice", language, OF[language])
        assert "\n" not in told
        assert "{" not in told
        assert "http" not in told

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize(
        ("purpose", "keys"),
        [("assignment_offered", "1239"), ("responder_voice", "1239"), ("supervisor_called", "123"),
         ("supervisor_called.mayday", "123"), ("drill_ping", "13"), ("sos_call", "123")],
    )  # fmt: skip
    def test_an_alarm_names_its_keys(self, purpose: str, keys: str, language: str) -> None:
        assert re.findall(r"\d", render(purpose, "voice", language, OF[language])) == list(keys)

    def test_a_code_is_spelled_digit_by_digit_and_twice(self) -> None:
        assert render("otp", "voice", "en", PARAMS).count("1, 2, 3, 4, 5, 6") == 2


@pytest.mark.parametrize(
    ("metres", "english", "urdu"),
    [(0, "50 m", "50 میٹر"), (430, "450 m", "450 میٹر"), (974, "950 m", "950 میٹر"), (975, "1.0 km", "1.0 کلومیٹر"),
     (12_345, "12.3 km", "12.3 کلومیٹر")],
)  # fmt: skip
def test_distances_are_said_as_people_do(metres: float, english: str, urdu: str) -> None:
    assert (distance(metres, "en"), distance(metres, "ur-PK")) == (english, urdu)
