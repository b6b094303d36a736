"""HTTP tools of agents, asked over HTTP: with TLS, or in the own network."""

from firmware.http_tools.client import OpenedTool, ToolClient, open_http_tools
from firmware.http_tools.headers import missing_headers, opened_headers, opened_tools, sealed_headers

__all__ = [
    "OpenedTool",
    "ToolClient",
    "missing_headers",
    "open_http_tools",
    "opened_headers",
    "opened_tools",
    "sealed_headers",
]
