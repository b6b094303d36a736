"""The firewall, asked of the kernel by the image's own program. Where that is emulated it cannot ask: there a box that
starts is asked instead, by whoever opens its page."""

from __future__ import annotations

import subprocess

import pytest

from tests.image.subject import ROOT

pytestmark = pytest.mark.image


def test_the_firewall_is_one_that_the_kernel_takes() -> None:
    """Its users by the image's own names. Checked in a network of its own, and not kept."""
    asked = ["unshare", "--net", "chroot", str(ROOT), "nft", "--check", "--file", "/etc/nftables.conf"]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
