"""A language model that recites, as a GGUF file: real weights for a real llama.cpp server, made by the tests.

Each part of a text is a token of its own, and the weights are such that each token is followed by its successor: the
embedding of a token is a random direction, and the output asks which direction the token *before* it has. Attention and
feed-forward have weights of zero, and only take time: with many `layers` it is as slow as larger models are. Which text
is recited is the chat template's choice, which is the model's own too: it ends the prompt with that text's first token.
After any other template's end, a line's, it recites the last one.

    write_model(path, [Recital("parking", "You can park behind the house."), Recital("", "Good day.")])
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

WIDTH = 128
"""Of an embedding: directions of so many numbers are nearly at right angles."""

CONTEXT = 16_384
"""Tokens, of one conversation."""

READ = 40
"""Characters of each message that the template passes on: they are read letter by letter, each a token."""

_UNKNOWN, _BEGIN, _END = "<unk>", "<s>", "<|end|>"
_SPECIAL = (_UNKNOWN, _BEGIN, _END)
_NORMAL, _UNKNOWN_KIND, _CONTROL, _BYTE = 1, 2, 3, 6
_LINE_END = len(_SPECIAL) + ord("\n")
_BLANK = "\N{LOWER ONE EIGHTH BLOCK}"  # as SentencePiece has it
_ALIGNED = 32
_SEED = 20260811

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recital:
    """`text` is recited where the last message holds `about`, in lower case; the first that fits, and an empty one fits
    always. `after_tool`: only as the answer to what a tool answered. `again`: its last two words without end. What
    `call_text` makes is heard as a call of a tool, as Hermes and Qwen write it."""

    about: str
    text: str
    after_tool: bool = False
    again: bool = False


def call_text(name: str, **arguments: object) -> str:
    """A call of a tool as the model writes it."""
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def write_model(path: Path, recitals: Sequence[Recital], *, layers: int = 1) -> None:
    vocabulary, successors = _vocabulary(recitals)
    values: dict[str, object] = {
        "general.architecture": "llama",
        "general.name": "recital",
        "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH,
        "llama.block_count": layers,
        "llama.feed_forward_length": _ALIGNED,
        "llama.attention.head_count": 8,
        "llama.attention.head_count_kv": 1,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": WIDTH // 8,
        "llama.vocab_size": len(vocabulary),
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [text for text, _ in vocabulary],
        "tokenizer.ggml.scores": [-float(place) for place in range(len(vocabulary))],
        "tokenizer.ggml.token_type": [kind for _, kind in vocabulary],
        "tokenizer.ggml.bos_token_id": _SPECIAL.index(_BEGIN),
        "tokenizer.ggml.eos_token_id": _SPECIAL.index(_END),
        "tokenizer.ggml.unknown_token_id": _SPECIAL.index(_UNKNOWN),
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.chat_template": _template(recitals),
    }
    path.write_bytes(_gguf(values, _weights(len(vocabulary), successors, layers)))


# -- what it recites ------------------------------------------------------------------------------------------------


def _vocabulary(recitals: Sequence[Recital]) -> tuple[list[tuple[str, int]], dict[int, int]]:
    """All tokens with their kinds, and which is followed by which."""
    tokens = [*zip(_SPECIAL, (_UNKNOWN_KIND, _CONTROL, _CONTROL), strict=True)]
    tokens += [(f"<0x{byte:02X}>", _BYTE) for byte in range(256)]
    taken, followed = {text for text, _ in tokens}, dict[int, int]()
    for number, each in enumerate(recitals):
        chain = range(len(tokens), len(tokens) + 1 + len(parts := _parts(each.text, taken)))
        tokens += [(_start(number), _CONTROL), *((part, _NORMAL) for part in parts)]
        followed |= dict(pairwise(chain))
        followed[chain[-1]] = chain[-2] if each.again else _SPECIAL.index(_END)
        followed[_LINE_END] = chain[1]
    return tokens, followed


def _parts(text: str, taken: set[str]) -> list[str]:
    """The words of `text` as tokens, no two alike: a word that was there is longer by the next one."""
    parts, part = list[str](), ""
    for word in _words(text):
        part += word.replace(" ", _BLANK)
        if part not in taken:
            taken.add(part)
            parts.append(part)
            part = ""
    if part:
        raise ValueError(f"it ends as another does, which would be two tokens of one text: {text!r}")
    return parts


def _words(text: str) -> list[str]:
    first, *others = text.split(" ")
    return [first, *(f" {each}" for each in others)]


def _start(number: int) -> str:
    return f"<|recital-{number}|>"


def _template(recitals: Sequence[Recital]) -> str:
    """Jinja. What is called and answered stands in it as Hermes and Qwen have it, by which llama.cpp knows that the
    model can call tools."""
    starts = "".join(
        f"{{%- {'if' if number == 0 else 'elif'} {_condition(each)} %}}{{{{- {json.dumps(_start(number))} }}}}"
        for number, each in enumerate(recitals)
    )
    return _TALK.replace("READ", str(READ)) + "{%- if add_generation_prompt %}" + starts + "{%- endif %}{%- endif %}"


def _condition(recital: Recital) -> str:
    role = "last.role == 'tool'" if recital.after_tool else "last.role != 'tool'"
    return f"{role} and {json.dumps(recital.about, ensure_ascii=False)} in said"


_TALK = """\
{%- if tools %}{{- '# Tools\\n<tools>' }}
{%- for tool in tools %}{{- '\\n' + tool.function.name }}{%- endfor %}
{{- '\\n</tools>\\nCall them so: <tool_call>\\n' }}
{{- '{"name": <function-name>, "arguments": <args-json-object>}\\n</tool_call>\\n' }}
{%- endif %}
{%- for message in messages %}
{{- message.role + ': ' }}
{%- if message.content is string %}{{- message.content[:READ] }}{%- endif %}
{%- if message.tool_calls %}{%- for tool_call in message.tool_calls %}
{{- '<tool_call>\\n{"name": "' + tool_call.function.name + '", "arguments": ' }}
{%- if tool_call.function.arguments is string %}{{- tool_call.function.arguments }}
{%- else %}{{- tool_call.function.arguments | tojson }}{%- endif %}
{{- '}\\n</tool_call>' }}{%- endfor %}{%- endif %}
{{- '\\n' }}
{%- endfor %}
{%- set last = messages[-1] %}
{%- set said = (last.content if last.content is string else '') | lower %}
"""


# -- its weights ------------------------------------------------------------------------------------------------


def _weights(tokens: int, successors: Mapping[int, int], layers: int) -> dict[str, Array]:
    chance = np.random.default_rng(_SEED)
    directions = chance.choice(np.array([-1, 1], np.float32), (tokens, WIDTH))
    asked = np.zeros((tokens, WIDTH), np.float32)
    for token, successor in successors.items():
        asked[successor] += directions[token]
    idle = {
        "attn_norm": np.ones(WIDTH, np.float32),
        "ffn_norm": np.ones(WIDTH, np.float32),
        "attn_q": _zeros(WIDTH, WIDTH),
        "attn_k": _zeros(WIDTH // 8, WIDTH),
        "attn_v": _zeros(WIDTH // 8, WIDTH),
        "attn_output": _zeros(WIDTH, WIDTH),
        "ffn_gate": _zeros(_ALIGNED, WIDTH),
        "ffn_up": _zeros(_ALIGNED, WIDTH),
        "ffn_down": _zeros(WIDTH, _ALIGNED),
    }
    blocks = {f"blk.{layer}.{name}.weight": each for layer in range(layers) for name, each in idle.items()}
    ends = {"token_embd.weight": directions, "output_norm.weight": np.ones(WIDTH, np.float32), "output.weight": asked}
    return ends | blocks


def _zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


# -- the file, as GGUF 3 has it -----------------------------------------------------------------------------------


def _gguf(values: Mapping[str, object], tensors: Mapping[str, Array]) -> bytes:
    head = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(values))]
    head += [_text(name) + _typed(value) for name, value in values.items()]
    offset, data = 0, list[bytes]()
    for name, tensor in tensors.items():
        dimensions = tensor.shape[::-1]  # theirs begin with the innermost
        head.append(_text(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, 0, offset))
        data.append(_padded(tensor.tobytes()))
        offset += len(data[-1])
    return _padded(b"".join(head)) + b"".join(data)


def _typed(value: object) -> bytes:
    if isinstance(value, list):
        packed = [_packed(each, in_list=True) for each in value]
        return struct.pack("<IIQ", 9, packed[0][0], len(packed)) + b"".join(each for _, each in packed)
    kind, data = _packed(value)
    return struct.pack("<I", kind) + data


def _packed(value: object, *, in_list: bool = False) -> tuple[int, bytes]:
    """Its kind by GGUF's number, and its bytes. llama.cpp wants whole numbers signed in lists, and unsigned else."""
    match value:
        case bool():
            return 7, struct.pack("<?", value)
        case int():
            return (5, struct.pack("<i", value)) if in_list else (4, struct.pack("<I", value))
        case float():
            return 6, struct.pack("<f", value)
        case str():
            return 8, _text(value)
        case _:
            raise TypeError(f"no such value in a GGUF file: {value!r}")


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNED)
