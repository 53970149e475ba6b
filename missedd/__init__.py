"""missedd turns missed calls to an ExoPhone into what the caller is owed, once."""

__version__ = "0.1.0"
