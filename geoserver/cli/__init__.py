"""``citymap``: the command line. Each command has its file; what is heavy is imported when the command runs."""

import typer

from geoserver.cli import (
    audit,
    config,
    database,
    demo,
    doctor,
    export,
    gateway,
    import_,
    keys,
    layers,
    role,
    tiles,
    up,
    user,
    versions,
    watch,
    worker,
)
from geoserver.cli.console import CityMapGroup, remember_debug

app = typer.Typer(
    name="citymap",
    cls=CityMapGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # mistakes are told by cause and cure, see console.CityMapGroup
    help="CityMap 城市一张图: one spatial server for a city.",
)
app.callback()(remember_debug)

# The commands, in the order that --help shows them.
app.command("up")(up.up)
app.command("worker")(worker.worker)
app.command("gateway")(gateway.gateway)
app.command("demo")(demo.demo)
app.command("import")(import_.import_file)
app.command("watch")(watch.watch)
app.add_typer(layers.app, name="layers")
app.command("export")(export.export)
app.add_typer(versions.imports_app, name="imports")
app.add_typer(versions.app, name="versions")
app.add_typer(tiles.app, name="tiles")
app.add_typer(user.app, name="user")
app.add_typer(role.app, name="role")
app.add_typer(role.department_app, name="department")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.command("doctor")(doctor.doctor)
app.add_typer(config.app, name="config")
app.add_typer(database.app, name="db")
