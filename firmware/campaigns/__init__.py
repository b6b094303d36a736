"""Campaigns at work: participants are taken through their flow and called, each exactly once for each attempt.

What is decided, is decided by app/outbound; what is to be done stands in the
database before it is done, and what was done is read from there: a process that is killed at any moment goes on where
it was.
"""

from firmware.campaigns.foresight import Look
from firmware.campaigns.service import Campaigns

__all__ = ["Campaigns", "Look"]
