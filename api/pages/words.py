"""What the pages say, in English and Urdu. One entry per sentence, both languages side by side."""

from typing import Final

from notifications.render.catalogue import CATALOGUE, Catalogue, placeholders

_SAID: Final[dict[str, tuple[str, str]]] = {
    "amaan": ("Amaan", "امان"),
    "other_language": ("اردو", "English"),
    # the live page
    "live_title": ("Live page", "براہِ راست صفحہ"),
    "asked_for_help": ("Somebody asked for help", "کسی نے مدد مانگی ہے"),
    "sos.open": ("Help has been called", "مدد کے لیے پکار پہنچ گئی"),
    "sos.open.more": ("Units near by are being asked.", "قریبی یونٹوں سے رابطہ کیا جا رہا ہے۔"),
    "sos.acknowledged": ("Help is getting ready", "مدد تیار ہو رہی ہے"),
    "sos.acknowledged.more": ("A unit has accepted.", "ایک یونٹ نے ذمہ داری قبول کر لی ہے۔"),
    "sos.en_route": ("Help is on the way", "مدد راستے میں ہے"),
    "sos.en_route.more": ("A unit is coming.", "ایک یونٹ آ رہا ہے۔"),
    "sos.on_scene": ("Help has arrived", "مدد پہنچ گئی ہے"),
    "sos.on_scene.more": ("A unit is there.", "ایک یونٹ موقع پر موجود ہے۔"),
    "sos.closed": ("It is over", "معاملہ ختم ہو گیا"),
    "sos.closed.more": ("This page shows nothing new any more.", "اس صفحے پر اب کوئی نئی بات نہیں آئے گی۔"),
    "sos.cancelled": ("Cancelled", "منسوخ"),
    "sos.cancelled.more": (
        "The person who called says that they are safe.",
        "پکارنے والے نے بتایا ہے کہ وہ محفوظ ہیں۔",
    ),
    "practice": ("This is a practice. Nobody was called.", "یہ مشق ہے۔ کسی کو نہیں بلایا گیا۔"),
    "who_comes": ("Who comes", "کون آ رہا ہے"),
    "where": ("Last known place", "آخری معلوم جگہ"),
    "no_place": ("No place is known yet.", "ابھی جگہ معلوم نہیں۔"),
    "accurate_to": ("within {n}", "{n} کے اندر"),
    "map": ("Sketch of the place", "جگہ کا خاکہ"),
    "open_map": ("Open in a map", "نقشے میں کھولیں"),
    "call": ("Call for help", "مدد کے لیے فون کریں"),
    "call_more": (
        "If you know more, tell the police or the rescue service.",
        "اگر آپ کچھ جانتے ہیں تو پولیس یا ریسکیو کو بتائیں۔",
    ),
    "refreshes": ("This page renews itself.", "یہ صفحہ خود تازہ ہوتا ہے۔"),
    "ends_at": ("This link works until {time}.", "یہ لنک {time} تک کام کرے گا۔"),
    "refuse": ("Do not message me again", "مجھے آئندہ پیغام نہ بھیجیں"),
    "refused": ("You will get no more messages.", "آپ کو مزید پیغام نہیں آئیں گے۔"),
    "keep_private": ("Keep this link to yourself.", "یہ لنک اپنے تک رکھیں۔"),
    # the live page of a journey
    "journey_title": ("Somebody is on the way", "کوئی سفر میں ہے"),
    "journey.under_way": ("On the way", "سفر جاری ہے"),
    "journey.under_way.more": ("Everything is as planned, as far as we know.", "جہاں تک معلوم ہے سب ٹھیک ہے۔"),
    "journey.asked": ("A check-in is due", "خیریت کی اطلاع کا وقت ہے"),
    "journey.asked.more": ("They are being asked whether all is well.", "ان سے خیریت پوچھی جا رہی ہے۔"),
    "journey.missed": ("They do not answer", "ان کا جواب نہیں آ رہا"),
    "journey.missed.more": (
        "Please reach them now. Without an answer it becomes an SOS in some minutes.",
        "براہِ کرم ابھی ان سے رابطہ کریں۔ جواب نہ آیا تو چند منٹ میں یہ SOS بن جائے گا۔",
    ),
    "journey.raised": ("It has become an SOS", "یہ SOS بن چکا ہے"),
    "journey.raised.more": ("Help has been called to the last known place.", "آخری معلوم جگہ پر مدد بلائی جا رہی ہے۔"),
    "journey.arrived": ("They say that they have arrived", "پہنچنے کی اطلاع آ گئی ہے"),
    "journey.arrived.more": ("This page shows nothing new any more.", "اس صفحے پر اب کوئی نئی بات نہیں آئے گی۔"),
    "journey.cancelled": ("The journey was taken back", "سفر منسوخ کر دیا گیا"),
    "journey.cancelled.more": ("This page shows nothing new any more.", "اس صفحے پر اب کوئی نئی بات نہیں آئے گی۔"),
    "ends_after": (
        "This link works until an hour after the journey.",
        "یہ لنک سفر ختم ہونے کے ایک گھنٹے بعد تک کام کرے گا۔",
    ),
    "expected_at": ("Expected at {time}", "{time} بجے تک پہنچنا ہے"),
    "concern.battery_low": ("Battery nearly empty", "بیٹری ختم ہونے والی ہے"),
    "concern.stopped": ("No movement for minutes", "کئی منٹ سے حرکت نہیں"),
    "concern.off_route": ("Away from the route", "راستے سے ہٹ کر"),
    "concern.not_heard": ("Nothing heard for minutes", "کئی منٹ سے فون کی خبر نہیں"),
    "do.reached": ("I have reached them", "میرا ان سے رابطہ ہو گیا"),
    "do.call_help": ("Call help to them now", "ابھی ان تک مدد بلائیں"),
    "do.no_calls": ("Do not ring me, write only", "مجھے فون نہ کریں، صرف پیغام بھیجیں"),
    "no_calls": ("You will be written to, and not rung.", "آپ کو صرف پیغام آئے گا، فون نہیں۔"),
    "see_sos": ("How the SOS stands", "SOS کی صورتحال"),
    # services and where each stands
    "service.police": ("Police", "پولیس"),
    "service.medical": ("Ambulance", "ایمبولینس"),
    "service.fire": ("Fire and rescue", "آگ اور ریسکیو"),
    "service.escort": ("Company on the way", "راستے میں ساتھ"),
    "slot.open": ("being asked", "رابطہ جاری ہے"),
    "slot.acknowledged": ("accepted", "قبول کر لیا"),
    "slot.en_route": ("on the way", "راستے میں"),
    "slot.on_scene": ("there", "پہنچ گئے"),
    "slot.cleared": ("done", "مکمل"),
    # times and distances
    "now": ("just now", "ابھی"),
    "minutes": ("{n} min ago", "{n} منٹ پہلے"),
    "hours": ("{n} h ago", "{n} گھنٹے پہلے"),
    "days": ("{n} days ago", "{n} دن پہلے"),
    "metres": ("{n} m", "{n} میٹر"),
    "kilometres": ("{n} km", "{n} کلومیٹر"),
    "you_are_here": ("you", "آپ"),
    # the one-tap page
    "offer_title": ("Can your unit go?", "کیا آپ کا یونٹ جا سکتا ہے؟"),
    "yours_title": ("This is yours", "یہ آپ کے ذمے ہے"),
    "away": ("{n} away", "{n} دور"),
    "raised": ("called", "پکار"),
    "severity.Extreme": ("life in danger", "جان کو خطرہ"),
    "severity.Severe": ("urgent", "فوری"),
    "flag.silent": ("Come quietly, do not call", "خاموشی سے آئیں، فون نہ کریں"),
    "flag.duress": ("May be forced to say it is over", "ممکن ہے زبردستی ختم کہلوایا گیا ہو"),
    "flag.late": ("Reached us late", "ہمیں دیر سے ملی"),
    "flag.unverified": ("Caller not verified", "پکارنے والا تصدیق شدہ نہیں"),
    "do.accept": ("We are going", "ہم جا رہے ہیں"),
    "do.decline": ("We cannot", "ہم نہیں جا سکتے"),
    "do.give_up": ("Give it up", "ہم نہیں پہنچ سکیں گے"),
    "do.en_route": ("On the way", "ہم راستے میں ہیں"),
    "do.still_coming": ("Still on the way", "ہم اب بھی راستے میں ہیں"),
    "do.on_scene": ("We are there", "ہم پہنچ گئے"),
    "do.clear": ("Done", "مکمل ہو گیا"),
    "state.accepted": ("You accepted. Thank you.", "آپ نے قبول کیا۔ شکریہ۔"),
    "state.en_route": ("You are on the way.", "آپ راستے میں ہیں۔"),
    "state.on_scene": ("You are there.", "آپ موقع پر ہیں۔"),
    "state.cleared": ("Done. Thank you.", "مکمل۔ شکریہ۔"),
    "state.declined": ("You said no. Others are asked.", "آپ نے انکار کیا۔ دوسروں سے رابطہ ہے۔"),
    "state.handled": ("Already handled, thank you.", "معاملہ سنبھال لیا گیا ہے، شکریہ۔"),
    "state.handled.more": ("Nothing more to do here.", "یہاں مزید کچھ کرنے کی ضرورت نہیں۔"),
    "state.stalled": ("No movement was seen. Others are being asked.", "حرکت نظر نہیں آئی۔ دوسروں سے رابطہ ہے۔"),
    "state.stalled.more": (
        "If you are on your way, go on, and tell the control room.",
        "اگر آپ راستے میں ہیں تو چلتے رہیں اور کنٹرول روم کو بتائیں۔",
    ),
    "state.busy": ("Your unit has another assignment.", "آپ کا یونٹ کسی اور کام پر ہے۔"),
    "state.changed": ("It changed meanwhile. This is how it stands.", "اس دوران صورتحال بدل گئی۔ موجودہ حالت یہ ہے۔"),
    "caller_note": ("The caller wrote", "پکارنے والے نے لکھا"),
    "call_citizen": ("Call {number}", "{number} پر فون کریں"),
    "only_post": ("Opening this page answers nothing.", "صرف صفحہ کھولنے سے کوئی جواب نہیں جاتا۔"),
    # a drill
    "drill.title": ("This is an exercise", "یہ ایک مشق ہے"),
    "drill.more": (
        "Nothing has happened and nobody needs you now. Amaan checks whether its messages reach you.",
        "کوئی واقعہ نہیں ہوا اور ابھی آپ کی ضرورت نہیں۔ امان دیکھ رہا ہے کہ اس کے پیغام آپ تک پہنچتے ہیں یا نہیں۔",
    ),
    "drill.confirm": ("It reached me", "پیغام مجھ تک پہنچ گیا"),
    "drill.said": ("Thank you, it is noted.", "شکریہ، درج کر لیا گیا۔"),
    # a link that opens nothing
    "over.title": ("This link is over", "یہ لنک ختم ہو چکا ہے"),
    "over.more": (
        "Live pages end after some hours, or when they are taken back.",
        "یہ صفحے کچھ گھنٹوں بعد، یا واپس لیے جانے پر ختم ہوتے ہیں۔",
    ),
    "unknown.title": ("This link opens nothing", "اس لنک پر کچھ نہیں"),
    "unknown.more": ("Please check that it is complete.", "براہِ کرم دیکھیں کہ لنک مکمل ہے۔"),
    "too_often.title": ("Too many tries", "بہت زیادہ کوششیں"),
    "too_often.more": ("Please wait some minutes.", "براہِ کرم چند منٹ انتظار کریں۔"),
    "in_danger": ("In danger yourself? Call 15 or 1122.", "آپ خود خطرے میں ہیں؟ 15 یا 1122 پر فون کریں۔"),
}



def worded(catalogue: Catalogue) -> dict[str, dict[str, str]]:
    """What the pages say, by language: ours, and those of which the messages have a file. Such a file says a sentence of
    the pages as `page.` and its name; what it does not say, or with other fields in braces, is in English.
    """
    english = {name: said[0] for name, said in _SAID.items()}
    words = {"en": english, "ur": {name: said[1] for name, said in _SAID.items()}}
    for language in set(catalogue.languages) - words.keys():
        found = catalogue.messages(language)
        words[language] = {name: _same_fields(found.get(f"page.{name}", ""), text) for name, text in english.items()}
    return words


def _same_fields(text: str, english: str) -> str:
    """The translation, where it names what the English text names."""
    try:
        return text if text and set(placeholders(text)) == set(placeholders(english)) else english
    except ValueError:
        return english


WORDS: Final = worded(CATALOGUE)
