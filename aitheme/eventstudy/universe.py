"""The wider market that random baskets are drawn from: its CARs are worked out once per event, not once per basket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from aitheme.eventstudy.arrays import FloatArray, IntArray

    Cars = tuple[FloatArray, pd.Index]
    Grouped = tuple[pd.Series, pd.Index, IntArray, pd.Index]

__all__ = ["Universe"]

NO_GROUP = "no group"
_KEPT = 8


@dataclass(frozen=True, slots=True)
class Universe:
    """Returns of the wider market, with the CARs already worked out from them.

    Parameters
    ----------
    returns : DataFrame
        Sessions x symbols, simple returns (ratios).
    known : dict
        CARs by what they depend on besides the returns; filled as studies ask for them.
    """

    returns: pd.DataFrame
    known: dict[Hashable, Cars] = field(default_factory=dict, repr=False, compare=False)
    _groups: dict[int, Grouped] = field(default_factory=dict, repr=False, compare=False)

    def cars(self, key: Hashable, compute: Callable[[], Cars]) -> Cars:
        """Return the CARs filed under a key, computing them the first time."""
        if key not in self.known:
            self.known[key] = compute()
        return self.known[key]

    def groups(self, strata: pd.Series, names: pd.Index) -> tuple[pd.Index, IntArray]:
        """Code the groups of some symbols, the last few answers kept.

        Parameters
        ----------
        strata : Series
            Symbol to group.
        names : Index
            M symbols.

        Returns
        -------
        labels : Index
            The groups; symbols without one share ``NO_GROUP``.
        codes : ndarray of int, shape (M,)
            Place of each symbol's group among the labels.
        """
        kept = self._groups.get(id(names))
        # The kept objects are compared too: an id may be given to another object later.
        if kept is None or kept[0] is not strata or kept[1] is not names:
            if len(self._groups) >= _KEPT:
                self._groups.clear()
            codes, labels = pd.factorize(group_labels(strata, names))
            kept = self._groups[id(names)] = (strata, names, np.asarray(codes, dtype=np.int64), pd.Index(labels))
        return kept[3], kept[2]


def group_labels(strata: pd.Series, names: pd.Index) -> pd.Series:
    """Group of each symbol, ``NO_GROUP`` where it has none."""
    label = strata.reindex(names).astype(object)
    return label.where(label.notna(), NO_GROUP)
