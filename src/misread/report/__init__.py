"""The static report: page objects as one folder, or one file, that opens without a server."""

from misread.report.document import Report, compose_report
from misread.report.place import check_place, put_report

__all__ = ["Report", "check_place", "compose_report", "put_report"]
