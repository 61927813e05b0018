"""The market of `scripts/demo`: SYNTHETIC prices, a seeded random walk. They are no market's, and nobody has an edge."""

import backtestkit as bk

bk.add_exchange(bk.SyntheticExchange("synthetic", seed=7))
bk.add_frame(frame_name="half-year", interval="1m", start_date="2025-01-01", end_date="2025-06-30")
