"""Floor 7: what `import backtestkit` exposes: facades and functions bound to the current kit and the current run."""
