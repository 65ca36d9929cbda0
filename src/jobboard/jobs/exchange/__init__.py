"""Exchange rates: what one euro is in other currencies, day by day.

They make pay in one currency comparable with pay in another (docs/search.md). A board has those of
the day that its release was made (`eurofxref.csv`, by `scripts/build_rates.py`) until an admin
loads newer ones: `jobboard rates FILE`.
"""
