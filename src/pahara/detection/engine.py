"""The seam to an inference engine: what the model says of itself, and arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from numpy.typing import NDArray

from pahara.core import ModelError

Array: TypeAlias = NDArray[Any]
EngineName: TypeAlias = Literal["onnxruntime", "openvino"]
Dimension: TypeAlias = int | str  # a name where the model leaves it open


@dataclass(frozen=True)
class Port:
    """One input or output of a model."""

    name: str
    shape: tuple[Dimension, ...]
    type: str  # "float32", "float16", "int64", …

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(map(str, self.shape))}) {self.type}"


@dataclass(frozen=True)
class Ports:
    """What a model says of itself."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"inputs: {'; '.join(map(str, self.inputs))}. outputs: {'; '.join(map(str, self.outputs))}"


class Engine(Protocol):
    """A loaded model."""

    ports: Ports
    about: str  # for people: "onnxruntime 1.22, 1 thread"

    def run(self, feeds: Mapping[str, Array], /) -> list[Array]:
        """One array per output, in the order of `ports.outputs`."""
        ...


class OnnxRuntimeEngine:
    """ONNX Runtime on the CPU."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads sleep: 2 to 24 % less CPU
        options.log_severity_level = 3  # errors only: warnings about graph optimisation help nobody who watches
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime raises a dozen classes of its own, all of them mean the same here
            told = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(f"{path} is no ONNX model that ONNX Runtime can load ({told[:200]}); fetch or export it again") from error
        session = self._session
        self.ports = Ports(
            tuple(Port(one.name, tuple(one.shape), _plain(one.type)) for one in session.get_inputs()),
            tuple(Port(one.name, tuple(one.shape), _plain(one.type)) for one in session.get_outputs()),
            dict(session.get_modelmeta().custom_metadata_map),
        )
        self._wanted = [one.name for one in self.ports.outputs]
        self.about = f"onnxruntime {ort.__version__}, {_threads(threads)}"

    def run(self, feeds: Mapping[str, Array], /) -> list[Array]:
        return list(self._session.run(self._wanted, feeds))


class OpenVinoEngine:
    """OpenVINO on the CPU; in bfloat16 where the processor computes in it (about a fifth faster, F1 against fp32 ≥ 0.98)."""

    def __init__(self, path: Path, threads: int, *, precision: str = "") -> None:
        try:
            import openvino
        except ImportError as error:
            raise ModelError("the engine 'openvino' is not installed; try: pip install 'pahara[openvino]'") from error
        core = openvino.Core()
        try:
            model = core.read_model(path)
            inputs = tuple(Port(one.get_any_name(), _open_shape(one.get_partial_shape()), _plain_ov(one)) for one in model.inputs)
            outputs = tuple(Port(one.get_any_name(), _open_shape(one.get_partial_shape()), _plain_ov(one)) for one in model.outputs)
            capable = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            precision = precision or ("bf16" if capable else "f32")
            self._compiled = core.compile_model(
                model,
                "CPU",
                {
                    "INFERENCE_NUM_THREADS": threads,
                    "NUM_STREAMS": "1",
                    "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_PRECISION_HINT": precision,
                },
            )
        except RuntimeError as error:
            told = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise ModelError(f"{path} is no model that OpenVINO can load ({told[:200]}); try engine 'onnxruntime'") from error
        self.ports = Ports(inputs, outputs, _onnx_metadata(path))
        self._request = self._compiled.create_infer_request()
        self.about = f"openvino {openvino.__version__.split('-')[0]}, {precision}, {_threads(threads)}"

    def run(self, feeds: Mapping[str, Array], /) -> list[Array]:
        self._request.infer(dict(feeds), share_inputs=True)
        return [self._request.get_output_tensor(i).data for i in range(len(self.ports.outputs))]


def open_engine(name: EngineName, path: Path, threads: int) -> Engine:
    """ModelError when the engine is not installed or cannot load the file."""
    if name == "onnxruntime":
        return OnnxRuntimeEngine(path, threads)
    if name == "openvino":
        return OpenVinoEngine(path, threads)
    raise ModelError(f"no engine named {name!r}; there are 'onnxruntime' and 'openvino'")


def _threads(count: int) -> str:
    return f"{count} thread{'' if count == 1 else 's'}" if count else "all threads"


def _plain(ort_type: str) -> str:
    inner = ort_type.removeprefix("tensor(").removesuffix(")")
    return {"float": "float32", "double": "float64"}.get(inner, inner)


def _plain_ov(port: Any) -> str:
    kind = str(port.get_element_type().get_type_name())
    return {"f32": "float32", "f16": "float16", "f64": "float64", "i64": "int64", "i32": "int32"}.get(kind, kind)


def _open_shape(shape: Any) -> tuple[Dimension, ...]:
    if shape.rank.is_dynamic:
        return ("?",)
    return tuple("?" if one.is_dynamic else one.get_length() for one in shape)


def _onnx_metadata(path: Path) -> dict[str, str]:
    """The metadata of an ONNX file: OpenVINO does not hand it out, so field 14 of the protobuf is read here."""
    if path.suffix != ".onnx":
        return {}
    found: dict[str, str] = {}
    data = memoryview(path.read_bytes())
    for number, value in _fields(data):
        if number == 14 and isinstance(value, memoryview):  # ModelProto.metadata_props
            pair = {n: bytes(v).decode("utf-8", "replace") for n, v in _fields(value) if isinstance(v, memoryview)}
            if 1 in pair:
                found[pair[1]] = pair.get(2, "")
    return found


def _fields(data: memoryview) -> list[tuple[int, memoryview | int]]:
    """The fields of one protobuf message; stops quietly where the bytes stop making sense."""
    found: list[tuple[int, memoryview | int]] = []
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while at < len(data):
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
        return value

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            found.append((key >> 3, varint()))
        elif kind == 2:
            length = varint()
            found.append((key >> 3, data[at : at + length]))
            at += length
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            break
    return found


def fixed(shape: Sequence[Dimension], at: int) -> int:
    """The size of one dimension, 0 where it is open."""
    return int(shape[at]) if len(shape) > at and isinstance(shape[at], int) else 0
