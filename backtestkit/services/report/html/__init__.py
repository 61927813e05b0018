"""Floor 5, tear sheets: a run as one HTML page that needs nothing but itself.

`series` thins and resamples columns, `charts` and `trade_charts` turn a run into chart descriptions (plain data),
`page` writes HTML, `sheet` puts the parts together, `service` hands the page out and writes the file.
"""
