"""Makes silero16k_f32.tflite from the ONNX file that the silero-vad package ships.

Run it in an environment of its own, with Python 3.11, tensorflow-cpu 2.15 and onnx 1.16
(neither is in the product):

    python models/vad/convert_silero.py build/models/vad/silero_vad_16k_op15.onnx models/vad/silero16k_f32.tflite

It prints the sha256 and the size for manifest.toml. The weights are taken from the ONNX graph on purpose: the
package's silero_vad_16k.safetensors holds another network of the same shape (probabilities differ by up to 0.83).
Float32 on purpose too: the int8 version is slower on x86 (69 instead of 30 us per chunk) and wrong by up to 0.73.

The graph is one step of the network, for one chunk of 32 ms at 16 kHz, with its state outside:

    in   x [1, 576]   the last 64 samples of the chunk before, then 512 new ones, from -1 to 1
         h, c [1, 128]  what the step before gave as h_out, c_out; zeros at the start of a call
    out  prob [1, 1]  probability of speech
         h_out, c_out [1, 128]
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import tensorflow as tf

Array = npt.NDArray[np.float32]

# Strides of the encoder's four convolutions. Its 4 frames of STFT become 4, 2, 1 and 1.
STRIDES = (1, 2, 2, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx_file", type=Path)
    parser.add_argument("tflite_file", type=Path)
    arguments = parser.parse_args()
    flatbuffer = to_tflite(Silero(constants(onnx.load(arguments.onnx_file).graph)))
    arguments.tflite_file.write_bytes(flatbuffer)
    print(f'sha256 = "{hashlib.sha256(flatbuffer).hexdigest()}"\nbytes = {len(flatbuffer)}')
    return 0


def constants(graph: onnx.GraphProto) -> dict[str, Array]:
    """All constants of an ONNX graph and of the graphs in it (silero's branches on the sampling rate), by name."""
    found: dict[str, Array] = {}
    for inner in _graphs(graph):
        for tensor in inner.initializer:
            found.setdefault(tensor.name, onnx.numpy_helper.to_array(tensor))
        for node in inner.node:
            for attribute in node.attribute:
                if node.op_type == "Constant" and attribute.name == "value":
                    found.setdefault(node.output[0], onnx.numpy_helper.to_array(attribute.t))
    return found


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _graphs(attribute.g)


class Silero(tf.Module):
    """The network, rebuilt from operations that TFLite has built in."""

    def __init__(self, weights: dict[str, Array]) -> None:
        super().__init__()

        def weight(name: str) -> Array:
            return weights[f"model.{name}"].astype(np.float32)

        def kernel(name: str) -> tf.Tensor:
            return tf.constant(np.transpose(weight(name), (2, 1, 0)))  # torch [out, in, k] to TF [k, in, out]

        self.stft = kernel("stft.forward_basis_buffer")
        self.kernels = [kernel(f"encoder.{layer}.reparam_conv.weight") for layer in range(len(STRIDES))]
        self.biases = [tf.constant(weight(f"encoder.{layer}.reparam_conv.bias")) for layer in range(len(STRIDES))]
        # torch's order of the LSTM's gates (input, forget, cell, output) is kept: one matrix, one FULLY_CONNECTED.
        both = np.concatenate([weight("decoder.rnn.weight_ih"), weight("decoder.rnn.weight_hh")], axis=1)
        self.lstm = tf.constant(both)
        self.lstm_bias = tf.constant(weight("decoder.rnn.bias_ih") + weight("decoder.rnn.bias_hh"))
        self.last = tf.constant(weight("decoder.decoder.2.weight").reshape(1, 128))
        self.last_bias = tf.constant(weight("decoder.decoder.2.bias").reshape(1))

    @tf.function(
        input_signature=[
            tf.TensorSpec([1, 576], tf.float32, "x"),
            tf.TensorSpec([1, 128], tf.float32, "h"),
            tf.TensorSpec([1, 128], tf.float32, "c"),
        ]
    )
    def step(self, x: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> dict[str, tf.Tensor]:
        gates = tf.matmul(tf.concat([self._encoded(x), h], 1), self.lstm, transpose_b=True) + self.lstm_bias
        enter, forget, cell, leave = tf.split(gates, 4, axis=1)
        c_out = tf.sigmoid(forget) * c + tf.sigmoid(enter) * tf.tanh(cell)
        h_out = tf.sigmoid(leave) * tf.tanh(c_out)
        prob = tf.sigmoid(tf.matmul(tf.nn.relu(h_out), self.last, transpose_b=True) + self.last_bias)
        return {"prob": prob, "h_out": h_out, "c_out": c_out}

    def _encoded(self, x: tf.Tensor) -> tf.Tensor:
        padded = tf.reshape(tf.pad(x, [[0, 0], [0, 64]], mode="REFLECT"), [1, 640, 1])
        spectrum = tf.nn.conv1d(padded, self.stft, stride=128, padding="VALID")
        real, imaginary = spectrum[:, :, :129], spectrum[:, :, 129:]
        y = tf.sqrt(real * real + imaginary * imaginary)
        for kernel, bias, stride in zip(self.kernels, self.biases, STRIDES, strict=True):
            # By hand: TF's SAME is not torch's symmetric padding when an even length meets stride 2.
            y = tf.pad(y, [[0, 0], [1, 1], [0, 0]])
            y = tf.nn.relu(tf.nn.bias_add(tf.nn.conv1d(y, kernel, stride=stride, padding="VALID"), bias))
        return tf.reshape(y, [1, 128])


def to_tflite(network: Silero) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(network, folder, signatures={"serving_default": network.step.get_concrete_function()})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]  # nothing the runtime does not have
        return converter.convert()


if __name__ == "__main__":
    sys.exit(main())
