"""What converting takes: by so much are what is heard and what is said apart from what is on the line."""

from __future__ import annotations

RESAMPLING_QUALITY = 4
"""In pj's table; speex-resampler at 7 of 10, for lines of 8 kHz. It takes 8 ms each way, and up to 3.7 kHz nothing is
lost. By pj's default, 10 of 10, it takes 16 ms, and 0.1 kHz more are left; at 3 of 10 it takes 3, and what lies above
the telephone's own 3.4 kHz is gone, which G.711 carries."""

_THERE_AND_BACK_MS = {"PCMU": 16, "PCMA": 16, "G722": 3, "OPUS": 26}
"""By SDP name. G.722 splits the band in two filters. Opus looks 6.5 ms ahead, and pj decodes a frame of it when the
next one has come, since that may hold what is needed to mend a lost one. Seen in tests/wire/test_converting.py."""


def there_and_back_ms(codec: str) -> int:
    """For both ways together; 0 for a codec that we do not offer."""
    return _THERE_AND_BACK_MS.get(codec.upper(), 0)
