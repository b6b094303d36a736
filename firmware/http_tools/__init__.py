"""HTTP tools of agents, asked over HTTP: with TLS, or in the own network."""

from firmware.http_tools.client import OpenedTool, ToolClient, open_http_tools

__all__ = ["OpenedTool", "ToolClient", "open_http_tools"]
