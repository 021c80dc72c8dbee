"""A small application with two holes, on the tests' own PostgreSQL: what the scanners must find, or they would not."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from layers.database import psycopg2_url
from tests.security.background import running


def planted(engine: Engine) -> Starlette:
    """``/search?name=`` puts its parameter into SQL, ``/hello?name=`` into HTML; ``/`` links to both."""

    def search(request: Request) -> JSONResponse:
        name = request.query_params.get("name", "")
        try:
            with engine.connect() as conn:
                found = conn.exec_driver_sql(f"SELECT id, name FROM city.open WHERE name = '{name}'".replace("%", "%%"))
                return JSONResponse([list(row) for row in found])
        except DBAPIError as error:
            return JSONResponse({"error": f"PostgreSQL ERROR: {error.orig}"}, 500)

    def hello(request: Request) -> HTMLResponse:
        return HTMLResponse(f"<html><body>Hello {request.query_params.get('name', '')}</body></html>")

    def home(_request: Request) -> HTMLResponse:
        return HTMLResponse(
            "<html><body><a href='/hello?name=you'>hello</a> <a href='/search?name=x'>search</a></body></html>"
        )

    return Starlette(routes=[Route("/", home), Route("/search", search), Route("/hello", hello)])


@contextmanager
def planted_site(database_url: str) -> Iterator[str]:
    """The address of the application while it runs; it reads the table of layer ``open``."""
    engine = create_engine(psycopg2_url(database_url))
    with running(planted(engine)) as url:
        yield url
    engine.dispose()
