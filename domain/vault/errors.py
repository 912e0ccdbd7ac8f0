"""What can go wrong with the vault."""

from domain.errors import Gone


class Destroyed(Gone):
    """The key was destroyed: what it sealed cannot be read by anybody, ever."""

    code = "erased"
