"""What a coordinator may not tell to all is refused by the rules of reports, and says which of them."""

import pytest

from domain.watch_alerts.errors import WatchAlertInvalid
from domain.watch_alerts.service import Words, plain_texts


@pytest.mark.parametrize(
    ("text", "code"),
    [("Vermin live at the corner", "hate"), ("Lynch them", "incitement"), ("Call 0300 1234567", "phone_number")],
)
def test_what_is_held_in_a_report_is_told_to_nobody_and_is_called_by_its_name(text: str, code: str) -> None:
    said = {"en": {"headline": text}}
    with pytest.raises(WatchAlertInvalid) as refused:
        plain_texts(Words(texts=said))
    (why,) = refused.value.data["errors"]["texts.en.headline"]
    assert code in why
    assert plain_texts(Words(texts=said, limited=False)) == said, "the control room knows what it says"
