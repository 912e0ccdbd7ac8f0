"""What is stored of a city: every version of its configuration, none ever overwritten.

The `_id` holds city and version, so that two who change the same version at once cannot both win. Each version carries
the digest of the one before it: a version that was edited or taken out afterwards does not fit any more.
"""

from mongoengine import DateTimeField, DictField, Document, IntField, StringField


class CityConfigDoc(Document):
    """One version of one city. `body` is the complete table that `domain.cities.rules.parse` reads."""

    meta = {
        "collection": "city_config",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"fields": ["city", "-version"], "name": "city_version"}],
    }

    id = StringField(primary_key=True)
    """`cty_<city>_<version, six digits>`."""
    city = StringField(required=True)
    version = IntField(required=True)
    """From 1, one more with every change."""
    body = DictField(required=True)
    digest = StringField(required=True)
    """SHA-256 over the body and `previous`."""
    previous = StringField(default="")
    """The digest of the version before; empty at the first."""
    at = DateTimeField(required=True)
    by = StringField(required=True)
    """The person who changed it, or `preset`."""
    reason = StringField(required=True)
