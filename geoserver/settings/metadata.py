"""``metadata``: what the server says of itself, as in pygeoapi."""

from typing import Annotated

from pydantic import Field

from geoserver.settings.groups import Bilingual, BilingualList, Group


class Identification(Group):
    """What the service is."""

    title: Bilingual = Bilingual(zh="城市一张图", en="CityMap")
    description: Bilingual = Bilingual(zh="全市共享图层与空间服务", en="The city's shared layers and spatial processes")
    keywords: BilingualList = BilingualList(zh=("一张图", "地理信息"), en=("city map", "geospatial"))
    terms_of_service: str = ""
    url: str = ""


class License(Group):
    """Under which terms the data may be used."""

    name: str = "CC-BY 4.0"
    url: str = "https://creativecommons.org/licenses/by/4.0/"


class Provider(Group):
    """Who runs the service."""

    name: str = "CityMap"
    url: str = ""


class Contact(Group):
    """Whom to ask."""

    name: str = ""
    position: str = ""
    email: str = ""
    phone: str = ""
    url: str = ""


class Classification(Group):
    """GB/T 13923 in the catalogue of records. What is shipped has not been compared with the text of the standard, and
    records say so until ``checked`` is true."""

    names: dict[Annotated[str, Field(pattern=r"^[1-9]$")], Bilingual] = Field(
        default={}, description="names of main classes by the first digit of a code, in the place of the shipped ones"
    )
    layers: dict[str, Annotated[str, Field(pattern=r"^([1-9][0-9]{0,9})?$")]] = Field(
        default={}, description="codes of layers of which no steward says one; empty: none"
    )
    checked: bool = Field(default=False, description="the city has compared all of them with the standard")


class Metadata(Group):
    """The service's description of itself, as on the landing page."""

    identification: Identification = Identification()
    license: License = License()
    provider: Provider = Provider()
    contact: Contact = Contact()
    classification: Classification = Classification()
