"""A question to a language model, as OpenAI's chat protocol has it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from app.language_models import ChatMessage, Tool, ToolCall


@dataclass(frozen=True, slots=True)
class Question:
    model: str
    messages: Sequence[ChatMessage]
    tools: Sequence[Tool]

    def as_json(self) -> dict[str, JsonValue]:
        asked: dict[str, JsonValue] = {
            "model": self.model,
            "messages": [_message(each) for each in self.messages],
            "stream": True,
        }
        return asked | ({"tools": [_tool(each) for each in self.tools]} if self.tools else {})


def _message(message: ChatMessage) -> JsonValue:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.answers, "content": message.text}
    if message.calls:  # no content rather than an empty one, as the protocol's own clients have it
        calls: list[JsonValue] = [_call(each) for each in message.calls]
        return {"role": message.role, "content": message.text or None, "tool_calls": calls}
    return {"role": message.role, "content": message.text}


def _call(call: ToolCall) -> JsonValue:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _tool(tool: Tool) -> JsonValue:
    parameters = dict(tool.parameters)
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }
