"""The machine under the training: processor or GPU, number format, threads, several processes that agree."""

from __future__ import annotations

import json
import math
import os
import pickle
import random
import signal
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from pahara import core
from pahara.core import PaharaError, TrainingError

from .batches import available_cores
from .plan import Plan

PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}
PAUSE = 20  # on GPUs the processes ask each other only so often whether to stop


def prepare(plan: Plan, *, workers: int = 0) -> Fabric:
    """The Fabric that the plan asks for. TrainingError when this machine cannot be that."""
    gpus = torch.cuda.device_count()
    if plan.device == "gpu" and not (gpus or torch.backends.mps.is_available()):
        raise TrainingError("there is no GPU that PyTorch can use here; train with device 'cpu', or install the PyTorch build for your GPU")
    accelerator = "cuda" if plan.device != "cpu" and gpus else "mps" if plan.device == "gpu" else "cpu"
    if accelerator == "cuda" and plan.devices > gpus:
        raise TrainingError(f"{plan.devices} devices are asked for, this machine has {gpus} GPU{'s' if gpus > 1 else ''}")
    if accelerator == "cpu" and plan.devices > available_cores():
        raise TrainingError(f"{plan.devices} processes are asked for, this machine lends {available_cores()} cores")
    if accelerator == "cpu" and plan.precision == "16":
        raise TrainingError("16-bit floats need a GPU; on a CPU take precision 32 or bf16")
    started = "LOCAL_RANK" in os.environ  # torchrun starts the processes itself
    if plan.nodes > 1 and not started and "NODE_RANK" not in os.environ:
        raise TrainingError(
            f"training on {plan.nodes} machines: run the same command on each under torchrun (torchrun --nnodes {plan.nodes} --nproc-per-node "
            f"{plan.devices} …), or set MASTER_ADDR, MASTER_PORT and NODE_RANK on each"
        )
    several = plan.devices * plan.nodes > 1
    if accelerator == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, min(torch.get_num_threads(), available_cores() // plan.devices - workers)))
    if accelerator == "cuda":  # the same sums in the same order, so that a run can be repeated
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
    return Fabric(
        accelerator=accelerator,
        devices=plan.devices,
        num_nodes=plan.nodes,
        strategy=("ddp" if started else "ddp_spawn") if several else "auto",
        precision=PRECISIONS[plan.precision],
    )


def launch(fabric: Fabric, work: Callable[..., Any], *given: Any) -> Any:
    """-> what `work(fabric, *given)` returns: here, or in process 0 of several. A user's mistake in any of them is raised here."""
    if fabric.world_size == 1:
        return work(fabric, *given)
    try:
        parcel = pickle.dumps((work, given))  # copies for each process: shared weights would be trained by all at once
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TrainingError(
            f"several processes need model, task and data that can be pickled ({error}); define their classes in a module"
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        before = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the processes that train; they save and return
        try:
            return pickle.loads(fabric.launch(_one, parcel, str(Path(folder) / "mistake.json")))
        except Exception as error:
            mistake = Path(folder) / "mistake.json"
            if not mistake.exists():
                raise
            kind, words = json.loads(mistake.read_text(encoding="utf-8"))
            raise getattr(core, kind, TrainingError)(words) from error
        finally:
            signal.signal(signal.SIGINT, before)


def _one(fabric: Fabric, parcel: bytes, mistake: str) -> bytes:
    work, given = pickle.loads(parcel)
    if "OMP_NUM_THREADS" not in os.environ and fabric.device.type == "cpu":
        torch.set_num_threads(max(1, available_cores() // int(fabric.strategy.num_processes)))
    try:
        result = pickle.dumps(work(fabric, *given))
        fabric.barrier()  # who leaves while another still speaks to it makes that one abort
        torch.distributed.destroy_process_group()
        return result
    except PaharaError as error:  # only text passes from a process that ends with an error
        part = Path(f"{mistake}.{fabric.global_rank}")
        part.write_text(json.dumps([type(error).__name__, str(error)]), encoding="utf-8")
        part.replace(mistake)
        raise


def seed_step(seed: int, step: int, rank: int) -> None:
    """All chance in a step (dropout, mixing) follows from the plan's seed and the step's number: a resumed run repeats it."""
    mixed = int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])
    random.seed(mixed)
    np.random.seed(mixed)
    torch.default_generator.manual_seed(mixed)  # torch.manual_seed takes a millisecond, and keeps a note for a GPU that never wakes
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed(mixed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(mixed)


def agree(fabric: Fabric, values: Tensor, stop: bool, step: int) -> tuple[Tensor, bool]:
    """The same on every process: the mean of `values` (n,), and whether anyone was asked to stop."""
    if fabric.world_size == 1:
        return values, stop
    both = fabric.all_reduce(torch.cat([values, values.new_tensor([float(stop)])]), reduce_op="mean")
    looked = fabric.device.type == "cpu" or step % PAUSE == 0
    return both[:-1], looked and float(both[-1]) > 0


def clip(fabric: Fabric, model: Any, optimizer: Any, longest: float) -> Tensor:
    """Shorten the gradient to `longest` (0: any length will do). -> its length () before."""
    if fabric.device.type == "cpu":  # here asking for the length costs nothing, and most gradients are short enough to be left alone
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        norm: Tensor = torch.nn.utils.get_total_norm(gradients)
        if 0 < longest < float(norm):
            torch.nn.utils.clip_grads_with_norm_([p for group in optimizer.param_groups for p in group["params"]], longest, norm)
        return norm
    shortened: Tensor = fabric.clip_gradients(model, optimizer, max_norm=longest or math.inf, error_if_nonfinite=False)
    return shortened


def alone(fabric: Fabric, model: Any, *, waiting: bool) -> Any:
    """While `waiting`, gradients stay in this process; they are exchanged once, with the last batch of a step."""
    return fabric.no_backward_sync(model) if waiting and fabric.world_size > 1 else nullcontext()


def moved(batch: Any, device: torch.device) -> Any:
    """A batch of tensors, in tuples, lists, mappings or dataclasses, on the device; all else stays as it is."""
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {key: moved(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple):
        inside = [moved(value, device) for value in batch]
        return type(batch)(*inside) if hasattr(batch, "_fields") else tuple(inside)
    if isinstance(batch, list):
        return [moved(value, device) for value in batch]
    if is_dataclass(batch) and not isinstance(batch, type):
        return replace(batch, **{field.name: moved(getattr(batch, field.name), device) for field in fields(batch) if field.init})
    return batch
