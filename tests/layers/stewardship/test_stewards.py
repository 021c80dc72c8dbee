"""A steward changes what the catalogue says of a layer, within rights, and never what is hidden from the steward."""

import os
from collections.abc import Iterator

import pytest

from geoserver.database_roles import role_url
from geoserver.own_layers import OWN_LAYERS
from layers.access import APP_ROLE, Grant, Principal
from layers.catalogue import CatalogueError, Field, Layer, Text
from layers.database import Database
from layers.features import RowDenied
from layers.registry import create_layer, load_layers, whole_layer
from layers.stewardship.model import FieldChange
from layers.stewardship.processes import change_layer, layer_settings, remove_layer
from layers.stewardship.simple_style import ColourClass, SimpleStyle
from tests.conftest import drop_database, make_database

_ALL = frozenset(("read", "create", "update", "delete", "manage"))
STEWARD = Principal("gui", frozenset({"planner"}), (Grant("*", _ALL, "internal"),))
LAMPS = Layer(
    id="lamps",
    title=Text("路灯", "Lamps"),
    description=Text("", ""),
    geometry_type="Point",
    fields=(
        Field("kind", "string", Text("类型", "Kind")),
        Field("keeper", "string", Text("管理人", "Keeper"), visibility="core"),
    ),
)


@pytest.fixture(scope="module")
def city(postgres_url: str, template_name: str) -> Iterator[Database]:
    """As requests work: by the role that owns nothing."""
    name = f"citymap_stewards_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    owner = Database(url, pool_size=1)
    with owner.transaction() as conn:
        create_layer(conn, LAMPS)
    found = Database(role_url(url, APP_ROLE), pool_size=2)
    yield found
    found.close()
    owner.close()
    drop_database(postgres_url, name)


def test_a_change_keeps_the_fields_that_its_steward_does_not_see(city: Database) -> None:
    style = SimpleStyle(color="#112233", by="kind", classes=(ColourClass("LED", "#445566"),))
    with city.transaction(principal=STEWARD) as conn:
        assert "keeper" not in {field.name for field in layer_settings(conn, STEWARD, OWN_LAYERS, "lamps").fields}
        told = change_layer(
            conn, STEWARD, OWN_LAYERS, "lamps", fields={"kind": FieldChange(zh="灯型", unit="")}, style=style
        )
        assert told.style == style and told.fields[0].title.zh == "灯型"
        whole = whole_layer(conn, "lamps")
        assert [field.name for field in whole.fields] == ["kind", "keeper"] and whole.fields[1].visibility == "core"
        with pytest.raises(CatalogueError, match="has no field 'keeper'"):
            change_layer(conn, STEWARD, OWN_LAYERS, "lamps", fields={"keeper": FieldChange(visibility="public")})


def test_nobody_raises_a_layer_beyond_their_own_rights_nor_removes_what_the_server_works_with(city: Database) -> None:
    with city.transaction(principal=STEWARD) as conn:
        with pytest.raises(RowDenied, match="visibility 'sensitive'"):
            change_layer(conn, STEWARD, OWN_LAYERS, "lamps", visibility="sensitive")
        with pytest.raises(RowDenied, match="the server works with"):
            remove_layer(conn, STEWARD, OWN_LAYERS, "roads", "roads")
        with pytest.raises(RowDenied, match="as 'confirm'"):
            remove_layer(conn, STEWARD, OWN_LAYERS, "lamps", "lamp")
        remove_layer(conn, STEWARD, OWN_LAYERS, "lamps", "lamps")
        assert "lamps" not in load_layers(conn)
