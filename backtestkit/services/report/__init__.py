"""Floor 5, reports: what runs showed, as figures, text and files.

A report is a row of data, a `ReportSpec`: the channels that feed it, a tally that counts their events, the sections of its
document, the data of a journal line. One collector keeps events (`ReportCollector`), one service renders documents
(`MarkdownService`), one writes journals (`JournalService`), one holds the columns in force (`ColumnService`). A new report is
a new row in `catalog.py` and no new machinery.
"""
