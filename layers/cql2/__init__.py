"""CQL2 filters (OGC 21-065r2): text or JSON in, one SQLAlchemy condition with bound parameters out.

``parse`` bounds and reads a filter, ``compile_filter`` checks it against a layer's columns. The functions it calls in
the database are in ``functions.sql``.
"""

from pathlib import Path

from layers.cql2.compiler import compile_filter
from layers.cql2.errors import Cql2Error
from layers.cql2.functions import FUNCTIONS, describe_functions
from layers.cql2.operands import Columns
from layers.cql2.parsing import Bounds, Expression, parse

__all__ = [
    "CONFORMANCE_CLASSES",
    "FUNCTIONS",
    "FUNCTIONS_SQL",
    "Bounds",
    "Columns",
    "Cql2Error",
    "Expression",
    "compile_filter",
    "describe_functions",
    "parse",
]

_CONF = "http://www.opengis.net/spec/cql2/1.0/conf/"
#: Everything of the standard is supported.
CONFORMANCE_CLASSES: tuple[str, ...] = tuple(
    _CONF + name
    for name in (
        "cql2-text",
        "cql2-json",
        "basic-cql2",
        "advanced-comparison-operators",
        "case-insensitive-comparison",
        "accent-insensitive-comparison",
        "basic-spatial-functions",
        "basic-spatial-functions-plus",
        "spatial-functions",
        "temporal-functions",
        "array-functions",
        "property-property",
        "functions",
        "arithmetic",
    )
)
#: The SQL functions that compiled filters call; idempotent, run by the migrations.
FUNCTIONS_SQL = Path(__file__).with_name("functions.sql")
