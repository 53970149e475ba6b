"""What holds for every test."""

from hypothesis import settings

# How long an example takes depends on what else the machine does: what is too slow, `make bench` says.
settings.register_profile("whatever the machine does", deadline=None)
settings.load_profile("whatever the machine does")
