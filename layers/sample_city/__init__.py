"""A deterministic, fictitious Chinese city for demonstration, tests and benchmarks.

``generate`` is the only entry. The city is drawn on a bent lattice (:mod:`axes`, :mod:`lattice`), planned
(:mod:`zoning`, :mod:`plan`), built (:mod:`buildings`) and described (:mod:`addresses`, :mod:`admin`, :mod:`points`).
"""

from layers.sample_city.city import generate

__all__ = ["generate"]
