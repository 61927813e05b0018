"""What holds for every test."""

import signal

# A shell that starts the tests in the background lets them ignore interrupts, and Python keeps to that.
signal.signal(signal.SIGINT, signal.default_int_handler)
