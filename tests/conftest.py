"""What holds for every test."""

import signal

from hypothesis import settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a shell: what the tests start would inherit that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes depends on what else the machine does: what is too slow, `make bench` says.
settings.register_profile("whatever the machine does", deadline=None)
settings.load_profile("whatever the machine does")
