"""The simulated CUDA device refuses what CUDA refuses, counts what CUDA waits for, and computes what the CPU does."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from taskembed_edu.base.by_value import same
from tests.simulated_cuda import SimulatedCuda, simulated_cuda


@pytest.fixture
def device() -> Iterator[SimulatedCuda]:
    with simulated_cuda() as device:
        yield device


def n_waits(device: SimulatedCuda, act: Callable[[], object]) -> int:
    device.clear()
    act()
    return device.waits.total()


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.ones(3, device="cuda"),
        lambda: torch.ones(3).cuda(),
        lambda: torch.ones(3).to(torch.device("cuda:0")),
        lambda: torch.tensor([1.0, 1.0, 1.0], device="cuda"),
        lambda: torch.as_tensor([1.0, 1.0, 1.0], device=torch.device("cuda")),
        lambda: torch.zeros_like(torch.ones(3, device="cuda")) + 1,
        lambda: torch.nn.Parameter(torch.ones(3)).to("cuda").detach(),
    ],
)
def test_a_tensor_says_that_it_is_on_cuda_and_computes(device: SimulatedCuda, make: Callable[[], Tensor]) -> None:
    x = make()
    assert torch.cuda.is_available()
    assert (str(x.device), x.is_cuda, x.cpu().is_cuda) == ("cuda:0", True, False)
    assert float((2 * x).sum()) == 6
    assert x.cpu().tolist() == x.tolist() == [1, 1, 1]


def test_outside_of_the_block_there_is_no_device() -> None:
    before = torch.cuda.is_available()
    with simulated_cuda():
        x = torch.ones(2, device="cuda")
    assert torch.cuda.is_available() is before
    with pytest.raises(RuntimeError, match="outside of simulated_cuda"):
        x + 1


@pytest.mark.parametrize(
    "mix",
    [
        lambda there, here: there + here,
        lambda there, here: here + there,
        lambda there, here: there @ here,
        lambda there, here: torch.stack([there, here]),
        lambda there, here: torch.where(there > 0, there, here),
        lambda there, here: here.copy_(there).add_(there),
        lambda there, here: torch.dot(there, here),
    ],
)
def test_tensors_on_two_devices_are_refused(device: SimulatedCuda, mix: Callable[[Tensor, Tensor], Tensor]) -> None:
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        mix(torch.ones(3, device="cuda"), torch.ones(3))


def test_a_number_on_the_cpu_goes_with_a_tensor_on_cuda(device: SimulatedCuda) -> None:
    x = torch.ones(3, device="cuda")
    assert (x * torch.tensor(2.0)).tolist() == [2, 2, 2]
    with pytest.raises(RuntimeError, match="same device"):
        torch.cat([x, torch.ones(1)])


def test_indices_on_the_cpu_reach_into_cuda_and_not_the_other_way(device: SimulatedCuda) -> None:
    there, here = torch.arange(3.0, device="cuda"), torch.arange(3.0)
    assert there[torch.tensor([2, 0])].tolist() == [2, 0]
    with pytest.raises(RuntimeError, match="indices should be either on cpu or on the same device"):
        here[torch.tensor([2, 0], device="cuda")]
    with pytest.raises(RuntimeError, match="same device"):
        there.index_select(0, torch.tensor([2, 0]))


def test_what_cuda_has_no_kernel_for_is_refused(device: SimulatedCuda) -> None:
    whole = torch.ones(2, 2, device="cuda", dtype=torch.long)
    with pytest.raises(RuntimeError, match="not implemented"):
        whole @ whole
    with pytest.raises(TypeError, match="can't convert cuda:0"):
        whole.numpy()


def test_a_generator_on_the_cpu_is_refused(device: SimulatedCuda) -> None:
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator but found 'cpu'"):
        torch.rand(3, device="cuda", generator=torch.Generator())


WAITS = {
    "item": lambda x: x[0].item(),
    "float": lambda x: float(x.sum()),
    "bool": lambda x: bool((x > 0).all()),
    "tolist": lambda x: x.tolist(),
    "to the CPU": lambda x: x.cpu(),
    "to the CPU, non-blocking": lambda x: x.to("cpu", non_blocking=True),
    "into a pinned tensor": lambda x: torch.empty(3).pin_memory().copy_(x),
    "from the CPU": lambda x: torch.ones(3).to(x.device),
    "non-blocking from pageable memory": lambda x: torch.ones(3).to(x.device, non_blocking=True),
    "pinned and blocking": lambda x: torch.ones(3).pin_memory().to(x.device),
    "nonzero": lambda x: x.nonzero(),
    "a mask as index": lambda x: x[x > 0],
    "unique": lambda x: x.unique(),
    "an index from the CPU": lambda x: x[torch.tensor([0])],
    "svd": lambda x: torch.linalg.svdvals(x[None]),
}
NO_WAITS = {
    "arithmetic": lambda x: (x + 1) @ x,
    "pinned and non-blocking": lambda x: torch.ones(3).pin_memory().to(x.device, non_blocking=True),
    "an index on the device": lambda x: x[torch.zeros(2, dtype=torch.long, device="cuda")],
    "made there": lambda x: torch.arange(3, device=x.device),
    "where": lambda x: torch.where(x > 0, x, 0.0),
}


@pytest.mark.parametrize("name", WAITS)
def test_what_waits_is_counted(device: SimulatedCuda, name: str) -> None:
    x = torch.ones(3, device="cuda")
    assert n_waits(device, lambda: WAITS[name](x)) == 1


@pytest.mark.parametrize("name", NO_WAITS)
def test_what_does_not_wait_is_not_counted(device: SimulatedCuda, name: str) -> None:
    x = torch.ones(3, device="cuda")
    assert n_waits(device, lambda: NO_WAITS[name](x)) == 0


def test_a_wait_is_told_by_its_line(device: SimulatedCuda) -> None:
    x = torch.ones(3, device="cuda")
    device.clear()
    line = test_a_wait_is_told_by_its_line.__code__.co_firstlineno + 4
    float(x.sum())
    assert device.waits == {(__file__, line, "_local_scalar_dense"): 1}


def test_launches_and_uploaded_bytes_are_counted(device: SimulatedCuda) -> None:
    x = torch.ones(4, 5).to("cuda")
    assert device.upload_bytes == 80
    device.clear()
    y = (x.T[:2] + 1).exp()
    assert device.launches == {"add": 1, "exp": 1}, "views take none"
    y.cpu()
    assert device.upload_bytes == 0


def test_gradients_and_steps_of_an_optimiser_are_those_of_the_cpu(device: SimulatedCuda) -> None:
    ended = []
    for where in ("cpu", "cuda"):
        w = torch.linspace(-1, 1, 6).view(2, 3).to(where).requires_grad_()
        optimiser = torch.optim.Adam([w], lr=0.1, fused=True)
        for _ in range(3):
            optimiser.zero_grad()
            (torch.ones(4, 2, device=where) @ w).tanh().square().sum().backward()
            optimiser.step()
        assert w.grad is not None
        assert w.grad.device == w.device
        ended.append(w.detach().cpu())
    assert torch.equal(*ended)


def test_a_copy_is_on_the_device_and_shares_nothing(device: SimulatedCuda) -> None:
    module = torch.nn.Linear(2, 1).to("cuda")
    twin = copy.deepcopy(module)
    with torch.no_grad():
        twin.weight += 1
    assert twin.weight.is_cuda
    assert isinstance(twin.weight, torch.nn.Parameter)
    torch.testing.assert_close((twin.weight - module.weight).cpu(), torch.ones(1, 2))


def test_threads_that_start_inside_belong_to_it(device: SimulatedCuda) -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(str((torch.ones(1, device="cuda") + 1).device)))
    thread.start()
    thread.join()
    assert found == ["cuda:0"]


def test_a_change_of_shape_in_place_is_not_simulated(device: SimulatedCuda) -> None:
    with pytest.raises(NotImplementedError, match="changes a shape in place"):
        torch.ones(2, 3, device="cuda").t_()


@pytest.mark.gpu
def test_values_on_cuda_are_compared_there_and_devices_count() -> None:
    x = torch.tensor([1.0, torch.nan])
    assert same(x.cuda(), x.cuda())
    assert not same(x.cuda(), x)
    assert not same(x, x.cuda())
    assert not same(x.cuda(), torch.tensor([1.0, 2.0]).cuda())
    assert same({"a": [x.cuda()]}, {"a": [x.cuda()]})
