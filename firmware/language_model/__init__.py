"""Language models behind OpenAI-compatible servers (llama.cpp, Ollama, vLLM, clouds): the phone process's only importer
of httpx.

    async with open_language_model(server, key) as model:
        answer = model.ask([ChatMessage("user", "…")])
        while text := await answer.more(): ...
        answer.stop()
"""

from firmware.language_model.client import open_language_model

__all__ = ["open_language_model"]
