"""What happens in the sample year: classes of cases with their limits, departments, seasons and hours. Invented.

``months`` are twelve digits, how often in each month; ``hours`` the time of day: day, commute, evening, night or any.
"""

import csv
from dataclasses import dataclass
from importlib.resources import files

#: The departments that the sample city's cases go to: id, Chinese and English name.
DEPARTMENTS = (
    ("sanitation", "环卫中心", "Sanitation"), ("law", "城管执法局", "Urban management"),
    ("municipal", "市政养护中心", "Municipal works"), ("parks", "园林绿化中心", "Parks"),
    ("traffic", "交警支队", "Traffic police"), ("housing", "住建局", "Housing and construction"),
    ("ecology", "生态环境局", "Environment"), ("water", "水务集团", "Water company"),
    ("power", "供电公司", "Power company"), ("water-affairs", "水利和湖泊局", "Rivers and lakes"),
)  # fmt: skip
#: How likely each hour of the day is, 0 to 23.
_DAY = (0, 0, 0, 0, 0, 0, 1, 4, 9, 10, 9, 6, 3, 4, 8, 9, 8, 5, 2, 2, 1, 1, 0, 0)
_COMMUTE = (0, 0, 0, 0, 0, 0, 2, 9, 10, 5, 3, 4, 3, 2, 2, 3, 6, 10, 9, 5, 2, 1, 0, 0)
_EVENING = (1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 4, 3, 1, 1, 2, 3, 6, 9, 10, 9, 6, 4, 2)
_NIGHT = (5, 3, 2, 2, 2, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 5, 8, 10, 8)
HOURS = {"day": _DAY, "commute": _COMMUTE, "evening": _EVENING, "night": _NIGHT, "any": (1,) * 24}


@dataclass(frozen=True, slots=True)
class Kind:
    """A class under one condition for filing: its limit, who handles it, how often it happens and when."""

    code: str
    condition: str
    amount: float
    unit: str
    department: str
    weight: float
    months: tuple[int, ...]
    hours: tuple[int, ...]


def kinds() -> tuple[Kind, ...]:
    """What may happen."""
    with files("grid.sample_year").joinpath("classes.csv").open(encoding="utf-8") as stream:
        return tuple(
            Kind(
                row["class"], row["condition"] or "发现问题", float(row["amount"]), row["unit"], row["department"],
                float(row["weight"]), tuple(map(int, row["months"])), HOURS[row["hours"]],
            )
            for row in csv.DictReader(stream)
        )  # fmt: skip
