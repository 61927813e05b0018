"""Floor 5, reports: what a run showed, as text and files.

A report is a row of data, a `ReportSpec`: columns, summary, legend, the function that turns rows into figures. One
service renders all of them (`MarkdownService`), one holds the columns in force (`ColumnService`). A new report is a new
row in `catalog.py` and no new machinery.
"""
