"""The data keys, each wrapped by a master key; a key has a document of its own so that destroying it is one write."""

from mongoengine import DateTimeField, Document, StringField


class VaultKeyDoc(Document):
    """The key of one subject (a helpline request, a case). Without `wrapped` it was destroyed."""

    meta = {
        "collection": "vault_keys",
        "auto_create_index": False,
        "strict": False,
        "indexes": ["master"],
    }

    id = StringField(primary_key=True)
    city = StringField(required=True)
    master = StringField()
    """Id of the master key that wraps it."""
    wrapped = StringField()
    """Base64."""
    made_at = DateTimeField()
    wrapped_at = DateTimeField()
    destroyed_at = DateTimeField()
