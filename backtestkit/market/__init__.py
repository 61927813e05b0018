"""Floor 3: where data comes from: candle store, files, ccxt, synthetic markets, resampling."""
