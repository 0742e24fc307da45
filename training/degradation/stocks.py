"""Stocks by name: where evaluation, galleries and tests look. Training draws its own (`grain_bank.random_stock`)."""

from __future__ import annotations

from .stock import Stock

STOCKS: dict[str, tuple[Stock, float]] = {
    "35 mm silver negative": (Stock(radius=0.14, spread=0.3, aperture=0.45, least=0.2, most=1.5, curve=1.5, correlation=1.0), 7.0),
    "16 mm silver negative": (Stock(radius=0.26, spread=0.35, aperture=0.6, least=0.2, most=1.3, curve=0.5, correlation=1.0), 18.0),
    "silver print, worn": (Stock(radius=0.22, spread=0.3, aperture=0.8, least=0.1, most=1.5, negative=False, correlation=1.0), 13.0),
    "35 mm color negative": (Stock(radius=0.35, spread=0.25, aperture=0.5, most=1.7, layers=6, cloud=0.4, correlation=0.1), 9.0),
    "16 mm color negative": (Stock(radius=0.55, spread=0.3, aperture=0.65, most=1.6, layers=6, cloud=0.4, correlation=0.2), 16.0),
    "8 mm color reversal": (
        Stock(radius=0.9, spread=0.3, aperture=0.8, least=0.12, most=1.6, curve=1.0, negative=False, layers=6, cloud=0.4, correlation=0.3),
        25.0,
    ),
}
"""Each stock with the strength of its grain at the middle codes, in 8-bit codes; `gain` is set to reach it."""
