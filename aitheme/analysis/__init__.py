"""Questions an analyst asks of a theme and a market, answered by the pure rooms: returns, valuation, event studies."""

from __future__ import annotations

from aitheme.analysis.baskets import BasketReturns, Valuation, basket_returns, pe_table, resolve_members
from aitheme.analysis.consensus import ConsensusRevision, PEChange, consensus_revision, pe_change
from aitheme.analysis.multiples import PEHistory, pe_history

__all__ = [
    "BasketReturns",
    "ConsensusRevision",
    "PEChange",
    "PEHistory",
    "Valuation",
    "basket_returns",
    "consensus_revision",
    "pe_change",
    "pe_history",
    "pe_table",
    "resolve_members",
]
