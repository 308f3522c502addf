"""Tag texts by diplomacy type and by the principles at work."""

__version__ = "0.1.0"
