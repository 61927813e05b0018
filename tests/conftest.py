"""What holds for every test."""

import os
import signal

from hypothesis import settings

# A shell that starts the tests in the background lets them ignore interrupts, and Python keeps to that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Runs are kept by the tests that are about that, each in a folder of its own.
os.environ["BACKTESTKIT_KEEP_RUNS"] = "false"

# The same examples each time, so that a red result is red again and what is covered does not depend on luck.
# HYPOTHESIS_PROFILE=searching looks for new ones.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("searching")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
