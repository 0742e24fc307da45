"""Batches made ahead of their turn by other processes, where making one on the CPU takes longer than a step on a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Generic, Protocol, TypeVar, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
AHEAD = 4
"""Batches that each process may be ahead."""


class Source(Protocol[T_co]):
    """Batches by their numbers; batch `n` depends on `n` alone."""

    def batch_of(self, number: int) -> T_co:
        """Batch `number`."""
        ...


class _Numbered(Dataset[T_co]):
    def __init__(self, source: Source[T_co]) -> None:
        self.source = source

    def __getitem__(self, number: int) -> T_co:
        return self.source.batch_of(number)


class _From:
    """first, first + 1, … without end: the order in which batches are wanted."""

    def __init__(self, first: int) -> None:
        self.first = first

    def __iter__(self) -> Iterator[int]:
        number = self.first
        while True:
            yield number
            number += 1


class Ahead(Generic[T]):
    """The batches of a source, on a device; with `workers` processes they are made ahead, as they would be without."""

    def __init__(self, source: Source[T], device: torch.device, workers: int = 0) -> None:
        self.source, self.device, self.workers = source, device, workers
        self.coming: Iterator[T] = iter(())
        self.next: int | None = None

    def batch_of(self, number: int) -> T:
        """Batch `number`."""
        if not self.workers:
            return moved(self.source.batch_of(number), self.device)
        if number != self.next:
            # Forked, so that all read the same samples; the processes touch no device.
            loader = DataLoader(
                _Numbered(self.source),
                batch_size=None,
                sampler=_From(number),
                num_workers=self.workers,
                prefetch_factor=AHEAD,
                multiprocessing_context="fork",
            )
            self.coming = iter(loader)
        self.next = number + 1
        return moved(next(self.coming), self.device)


def moved(batch: T, device: torch.device) -> T:
    """A tensor, or a dataclass of such and of plain values, on a device."""
    if isinstance(batch, Tensor):
        return cast(T, batch.to(device, non_blocking=True))
    if is_dataclass(batch) and not isinstance(batch, type):
        return replace(batch, **{field.name: moved(getattr(batch, field.name), device) for field in fields(batch)})
    return batch
