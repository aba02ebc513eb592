"""The wider market that random baskets are drawn from: its CARs are worked out once per event, not once per basket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import pandas as pd

    from aitheme.eventstudy.arrays import FloatArray

    Cars = tuple[FloatArray, pd.Index]

__all__ = ["Universe"]


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

    def cars(self, key: Hashable, compute: Callable[[], Cars]) -> Cars:
        """Return the CARs filed under a key, computing them the first time."""
        if key not in self.known:
            self.known[key] = compute()
        return self.known[key]
