"""A simulated CUDA device with real numbers, for a machine or a build of PyTorch that has none.

    with simulated_cuda() as device:            # torch.cuda.is_available() is True
        x = torch.ones(3, device="cuda")        # x.device is cuda:0
        x + torch.ones(3)                       # RuntimeError: Expected all tensors to be on the same device, ...
        float(x.sum())                          # 3.0
    device.waits                                # {("file.py", 4, "_local_scalar_dense"): 1}

Tests that are marked `gpu` run on it where there is no real device (tests/conftest.py).

A simulated tensor holds a CPU tensor and says that it is on cuda:0. To PyTorch's C++ it is on "lazy", a device without
kernels here: every operation is met in Python, where devices are checked as CUDA checks them, and then runs on the CPU.
A tensor on the CPU may index one on CUDA, not the other way round; a single number on the CPU may go into operations
that work entry by entry. Autograd works, and threads that start inside the block belong to it.

Counted: `waits` of the processor for the device, by the line in the innermost file that `where` accepts; `launches`,
operations that take one kernel or more (views take none); and `upload_bytes`. A wait is item, a copy to the CPU, a copy
to the device unless it is non_blocking and from pinned memory, nonzero, an index of booleans, and svd.

Not simulated: streams, speed, memory, rounding, TF32, torch.compile, CUDA generators, changing a shape in place.
Module.to makes new parameters here; CUDA keeps the objects.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from weakref import WeakValueDictionary

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

CUDA, STAND_IN, CPU = torch.device("cuda", 0), torch.device("lazy", 0), torch.device("cpu")
WAITS = {"_local_scalar_dense", "equal", "nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive"}
WAITS |= {"bincount", "_linalg_eigh", "_linalg_svd", "linalg_eig"}
NO_KERNEL = {"_local_scalar_dense", "empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "detach"}
NO_KERNEL |= {"lift_fresh", "_unsafe_view", "_reshape_alias"}
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}
TAKE_NUMBERS = INDEXING | {"where", "masked_fill", "masked_fill_", "index_fill", "index_fill_", "fill", "fill_"}
NOT_OF_INTEGERS = {"mm", "bmm", "addmm", "baddbmm", "mv", "addmv", "dot"}
PINNED: WeakValueDictionary[int, torch.Tensor] = WeakValueDictionary()  # page-locked tensors on the CPU


class SimulatedTensor(torch.Tensor):
    """A tensor on the simulated device; `held` is what it holds, on the CPU."""

    held: torch.Tensor
    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls: Any, inner: torch.Tensor) -> Any:
        layout = (inner.shape, inner.stride(), inner.storage_offset())
        made = torch.Tensor._make_wrapper_subclass(cls, *layout, dtype=inner.dtype, device=STAND_IN)
        made.held = inner
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, *_rest: Any) -> Any:
        raise RuntimeError(f"{func} met a simulated CUDA tensor outside of simulated_cuda()")

    def numpy(self, *, force: bool = False) -> Any:
        if force:
            return self.detach().cpu().numpy()
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy it first")

    def tolist(self) -> Any:
        return self.detach().cpu().tolist()

    def data_ptr(self) -> int:
        return self.held.data_ptr()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        made = self.detach().clone()
        parameter = isinstance(self, torch.nn.Parameter)
        made = torch.nn.Parameter(made, self.requires_grad) if parameter else made.requires_grad_(self.requires_grad)
        return memo.setdefault(id(self), made)

    def __repr__(self, *, tensor_contents: Any = None) -> Any:  # type: ignore[override]
        return f"{self.held!r} on simulated cuda:0"


class _Names(TorchFunctionMode):
    """Says the stand-in's name to C++ wherever a call says "cuda"."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.pin_memory:
            pinned = args[0].clone()
            PINNED[id(pinned)] = pinned
            return pinned
        if func is torch.Tensor.cuda:
            func, args = torch.Tensor.to, (args[0], STAND_IN)
        if func is not torch.device:
            args, kwargs = tree_map_only((torch.device, str), _stand_in, (args, kwargs or {}))
        if func in (torch.Tensor.__getitem__, torch.Tensor.__setitem__) and isinstance(args[0], SimulatedTensor):
            args = (args[0], _index(args[1]), *args[2:])
        if func in (torch.tensor, torch.as_tensor) and kwargs.get("device") == STAND_IN:
            return func(*args, **{**kwargs, "device": CPU}).to(STAND_IN)
        return func(*args, **(kwargs or {}))


def _stand_in(name: torch.device | str) -> torch.device | str:
    return STAND_IN if str(name).startswith("cuda") else name


def _index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    return torch.tensor(index).to(STAND_IN) if isinstance(index, list) else index


class SimulatedCuda(TorchDispatchMode):
    """Meets every operation: checks its devices, counts it, and runs it on the CPU."""

    def __init__(self, where: Callable[[str], bool]) -> None:
        super().__init__()
        self.where = where
        self.clear()

    def clear(self) -> None:
        """Count from zero."""
        self.waits, self.launches, self.upload_bytes = Counter[tuple[str, int, str]](), Counter[str](), 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = dict(kwargs or {}), func.overloadpacket.__name__
        tensors = [value for value in tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)]
        there = [value for value in tensors if isinstance(value, SimulatedTensor)]
        comes = kwargs.get("device") in (CUDA, STAND_IN, torch.device("cuda"))
        if not there and not comes:
            return func(*args, **kwargs)
        if kwargs.get("generator") is not None:
            raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
        copied = args[1] if name == "copy_" else args[0] if name == "_to_copy" else None
        leaves = kwargs.get("device") == CPU or (name == "copy_" and not isinstance(args[0], SimulatedTensor))
        if copied is None and there:
            _check(func, name, args, [value for value in tensors if not isinstance(value, SimulatedTensor)])
        self._count(func, name, args, kwargs, copied, leaves)
        plain, options = tree_map_only(SimulatedTensor, lambda value: value.held, (args, kwargs))
        came = func(*plain, **(options | {"device": CPU} if comes else options))
        known = {id(value.held): value for value in there}  # changed in place, or given as `out`: that very tensor
        made = lambda new: known[id(new)] if id(new) in known else SimulatedTensor(new)  # noqa: E731
        return came if leaves else tree_map_only(torch.Tensor, made, came)

    def _count(self, func: Any, name: str, args: Any, kwargs: Any, copied: torch.Tensor | None, leaves: bool) -> None:
        indices = [index for index in args[1] if index is not None] if name in INDEXING else []
        uploads = [one for one in (copied, *indices) if one is not None and not isinstance(one, SimulatedTensor)]
        self.upload_bytes += sum(one.numel() * one.element_size() for one in uploads)
        waits = bool(uploads) or (leaves and copied is not None)
        free = kwargs.get("non_blocking") or (name == "copy_" and args[2:3] == (True,))
        if free and not leaves and not indices and all(PINNED.get(id(one)) is one for one in uploads):
            waits = False
        if waits or name in WAITS or any(index.dtype in (torch.bool, torch.uint8) for index in indices):
            frame = sys._getframe(2)
            while frame.f_back and (frame.f_code.co_filename == __file__ or not self.where(frame.f_code.co_filename)):
                frame = frame.f_back
            self.waits[frame.f_code.co_filename, frame.f_lineno, name] += 1
        if name not in NO_KERNEL and not func.is_view:
            self.launches[name] += 1


def _check(func: Any, name: str, args: Any, here: list[torch.Tensor]) -> None:
    """Raise where CUDA would for these tensors on the CPU, beside at least one on CUDA."""
    if torch.Tag.inplace_view in func.tags:
        raise NotImplementedError(f"simulated CUDA: {func} changes a shape in place")
    first_here = isinstance(args[0], torch.Tensor) and not isinstance(args[0], SimulatedTensor)
    if name in INDEXING:
        if first_here:
            raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
        here = [value for value in here if all(value is not index for index in args[1])]
    takes_numbers = torch.Tag.pointwise in func.tags or name in TAKE_NUMBERS
    if (first_here and name.endswith("_")) or any(value.ndim or not takes_numbers for value in here):
        found = f"found at least two devices, cuda:0 and cpu! (when running {func}, simulated)"
        raise RuntimeError(f"Expected all tensors to be on the same device, but {found}")
    if name in NOT_OF_INTEGERS and not (args[0].is_floating_point() or args[0].is_complex()):
        raise RuntimeError(f'"{name}_cuda" not implemented for {args[0].dtype}')


@contextmanager
def simulated_cuda(where: Callable[[str], bool] = lambda file: "torch" not in file) -> Iterator[SimulatedCuda]:
    """Inside the block there is a CUDA device. `where` says of which files lines are told."""
    device, run = SimulatedCuda(where), threading.Thread.run

    def run_inside(thread: threading.Thread) -> None:
        with device, _Names():
            run(thread)

    told: dict[str, Any] = {"is_available": True, "device_count": 1, "current_device": 0, "memory_allocated": 0}
    told |= {"memory_reserved": 0, "mem_get_info": (2**36, 2**36), "get_device_name": "Simulated CUDA"}
    told |= {"synchronize": None, "_lazy_init": None}
    fakes: dict[str, Any] = {name: lambda *_args, answer=answer, **_kwargs: answer for name, answer in told.items()}
    threads = mock.patch.object(threading.Thread, "run", run_inside)
    with mock.patch.multiple(torch.cuda, **fakes), threads, device, _Names():
        yield device
