"""What holds for every test."""

import os
import signal

# A shell that starts the tests in the background lets them ignore interrupts, and Python keeps to that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Runs are kept by the tests that are about that, each in a folder of its own.
os.environ["BACKTESTKIT_KEEP_RUNS"] = "false"
