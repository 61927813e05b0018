"""backtestkit: test trading strategies on history and run the same strategies live."""
