"""missedd turns missed calls to an ExoPhone into what the caller is owed, once."""

from missedd.base.version import __version__ as __version__
