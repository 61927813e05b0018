"""Floor 5, tear sheets: a run as one HTML page that needs nothing but itself.

`series` thins and resamples columns, `packing` puts them into the page, `charts`, `price_charts` and `trade_charts` turn a
run into what plotly draws (plain data), `tables` makes the tables, `page` writes HTML, `sheet` puts the parts together,
`service` hands the page out and writes the file. In the page plotly.js draws; `price.js` says what of the market and its
trades is in view, `charts.js` lays charts out and keeps their view of time together, `page.js` is the rest.
"""
