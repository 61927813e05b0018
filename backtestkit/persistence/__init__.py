"""Where records are kept: one protocol of five methods, stores that keep it, and the table of what is kept where.

A record is a JSON value under a name (`id`) in a folder of names (`space`). Which spaces there are, and what their parts
mean, is the table in `domains`; how a store keeps them is its own affair. `backtestkit.testing` has the suite that every
store must pass, those of users too.
"""
