"""Floor 5, reports: what a run showed, as text and files.

A report is a row of data, a `ReportSpec`: columns, summary, legend, the function that turns rows into figures. One
service renders all of them (`MarkdownService`), one holds the columns in force (`ColumnService`), one the rows
(`RowStore`). A new report is a new spec in `catalog.py` and no new machinery.
"""
