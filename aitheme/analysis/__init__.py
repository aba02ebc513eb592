"""Questions an analyst asks of a theme and a market, answered by the pure rooms: returns, valuation, event studies."""

from __future__ import annotations

from aitheme.analysis.baskets import BasketReturns, Valuation, basket_returns, resolve_members, valuation

__all__ = ["BasketReturns", "Valuation", "basket_returns", "resolve_members", "valuation"]
