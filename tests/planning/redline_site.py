"""A database of its own with officers of every role, for tests that commit: steps, concurrency, replay."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import shapely
from sqlalchemy import Connection, text

from geoserver.database_roles import role_url
from layers.access import Grant, Principal
from layers.database import Database
from layers.raster.store import RasterStore
from planning.boundary.answers import GivenParcel, SurveyPoint
from planning.options import PlanningOptions
from planning.publicity.writing import Publicity
from planning.redline import processes
from planning.redline.answers import RedLineAnswer
from planning.survey.parcel import parcel_of
from planning.survey.zones import Zone

X, Y = 586_400.0, 3_364_800.0
_ALL = frozenset(("read", "create", "update", "delete"))
_GRANTS = (Grant("*", _ALL, "sensitive"),)


def officer(*roles: str, name: str | None = None) -> Principal:
    return Principal(name or f"{roles[0]}-1", frozenset(roles), _GRANTS)


CLERK, PLANNER, REVIEWER, APPROVER = (
    officer(role) for role in ("planning-clerk", "planner", "planning-reviewer", "planning-approver")
)


def square(x: float, y: float, width: float, height: float | None = None) -> GivenParcel:
    return given(shapely.box(X + x, Y + y, X + x + width, Y + y + (height or width)))


def given(shape: Any) -> GivenParcel:
    parcel = parcel_of(shape, Zone(38))
    rings = tuple(tuple(SurveyPoint(p.name, p.north, p.east) for p in ring) for ring in parcel.rings)
    return GivenParcel(38, rings)


@dataclass
class Office:
    """Runs the processes as the server does: one transaction each, committed when it ends well."""

    database: Database
    owner: Database
    store: RasterStore
    options: PlanningOptions = field(default_factory=PlanningOptions)

    def run(self, who: Principal, process: Callable[..., Any], **inputs: Any) -> Any:
        with self.database.transaction(principal=who) as conn:
            return self.run_on(conn, who, process, **inputs)

    def run_on(self, conn: Connection, who: Principal, process: Callable[..., Any], **inputs: Any) -> Any:
        return process(conn, self.store, who, self.options, **inputs)

    def sql(self, statement: str, **values: Any) -> Any:
        """As the database's owner."""
        with self.owner.engine.begin() as conn:
            conn.execute(text("SELECT set_config('citymap.planning_step', 'on', true)"))
            result = conn.execute(text(statement), values)
            return result.all() if result.returns_rows else None

    def apply(self, *parcels: GivenParcel, name: str = "项目", who: Principal = CLERK, **more: Any) -> RedLineAnswer:
        found: RedLineAnswer = self.run(
            who, processes.apply_redline, name=name, land_code="0901", parcels=parcels, **more
        )
        return found

    def advance(self, number: str, step: str, who: Principal, **more: Any) -> RedLineAnswer:
        found: RedLineAnswer = self.run(who, processes.advance_redline, redline=number, step=step, **more)
        return found

    def check(self, number: str, who: Principal = PLANNER) -> Any:
        from planning.check.processes import check_redline

        with self.database.transaction(principal=who) as conn:
            return check_redline(conn, self.store, self.options, redline=number)

    def publicise(self, number: str) -> None:
        """From applied to publicised, the period of the publicity over."""
        self.check(number)
        self.advance(number, "examine", PLANNER)
        self.advance(number, "set-conditions", REVIEWER, conditions="容积率 ≤ 2.0")
        today = self.options.today()
        notice = Publicity("公示", "内容", today, today + timedelta(days=12))
        self.advance(number, "publicise", PLANNER, publicity=notice)
        self.end_notice(number)

    def end_notice(self, number: str) -> None:
        self.sql(
            "UPDATE city.notices SET begins = begins - 30, ends = :ends WHERE redline = :n",
            n=number,
            ends=self.options.today() - timedelta(days=1),
        )

    def approved(self, *parcels: GivenParcel, **more: Any) -> str:
        """The number of an approved red line."""
        number = self.apply(*parcels, **more).number
        self.publicise(number)
        self.run(APPROVER, processes.allocate_redline, redline=number)
        return number

    def status(self, number: str) -> str:
        [(status,)] = self.sql("SELECT status FROM city.redlines WHERE number = :n", n=number)
        return str(status)


def make_ground(office: Office) -> None:
    """An urban boundary of 6 km and a plan of one plot in it, so that nothing conflicts at first."""
    wide = f"ST_Multi(ST_Transform(ST_MakeEnvelope({X - 3000}, {Y - 3000}, {X + 3000}, {Y + 3000}, 4547), 4490))"
    office.sql(
        f"INSERT INTO city.control_zones (geom, kind, name, code, plan, version, status, approved_on)"
        f" VALUES ({wide}, 'urban-boundary', '开发边界', 'UB', '规划', '2024', 'approved', '2024-01-01')"
    )
    office.sql(
        f"INSERT INTO city.control_plan (geom, plot, code, scheme, land_code, plan, version, status, approved_on)"
        f" VALUES ({wide}, 'P1', 'P1@2024', '2023', '09', '规划', '2024', 'approved', '2024-01-01')"
    )


def open_office(url: str, folder: Path) -> Office:
    """As the server works: the processes with the rights of the application's role, the ground made by the owner."""
    office = Office(
        Database(role_url(url, "citymap_app"), pool_size=6), Database(url, pool_size=3), RasterStore(folder)
    )
    make_ground(office)
    return office
