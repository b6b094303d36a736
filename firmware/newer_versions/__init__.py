"""Whether there is a newer version: a list that an owner names is asked for daily. It tells, and fetches nothing."""

from firmware.newer_versions.service import News

__all__ = ["News"]
