"""The JSON bodies of requests about identity."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from geoserver.accounts import MAX_PASSWORD
from geoserver.body import json_body
from geoserver.errors import BodyError

#: PostgreSQL's texts hold no NUL.
_NO_NUL = r"^[^\x00]*$"
Name = Annotated[str, Field(max_length=100, pattern=_NO_NUL)]
Secret = Annotated[str, Field(max_length=MAX_PASSWORD, pattern=_NO_NUL)]
#: Bodies of these routes are no larger [bytes].
MAX_BODY = 32_000


class Body(BaseModel):
    """Members that are not named are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def __repr__(self) -> str:
        """Without the values, which are secrets."""
        return f"{type(self).__name__}(…)"


class SignInBody(Body):
    """``POST /sign-in``."""

    account: Name
    password: Secret
    code: Secret | None = None


class PasswordBody(Body):
    """``POST /account/password``."""

    old: Secret
    new: Secret


class ProofBody(Body):
    """What must be proved again before something that protects the account is changed."""

    password: Secret
    code: Secret | None = None


class CodeBody(Body):
    """A one-time code."""

    code: Secret


class KeyBody(Body):
    """``POST /account/keys``."""

    label: Name
    days: float = 90
    scope: Any = None


class TokenBody(Body):
    """``POST /token``: a password, unless the request is signed in otherwise."""

    account: Name | None = None
    password: Secret | None = None
    code: Secret | None = None
    scope: Any = None
    minutes: float | None = Field(default=None, gt=0)


class AccountBody(Body):
    """``POST /admin/accounts``; without a password a random one is made."""

    account: Name
    password: Secret | None = None


class MembershipBody(Body):
    """``POST /admin/memberships``."""

    account: Name
    role: Name
    department: Name = ""
    area: Annotated[str, Field(pattern=r"^[0-9]{0,18}$")] = ""


class RoleBody(Body):
    """``POST /admin/roles``."""

    id: Name
    zh: Annotated[Name, Field(min_length=1)]
    en: Annotated[Name, Field(min_length=1)]


class PermissionBody(Body):
    """``POST /admin/permissions``. ``resource`` is the id of a layer or process, or ``*``; never an office."""

    role: Name
    kind: Literal["collection", "process"]
    resource: Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._-]{0,99})$")]
    actions: Annotated[list[Name], Field(min_length=1, max_length=10)]
    visibility: Name = "internal"
    within: Name = "everywhere"


class DepartmentBody(Body):
    """``POST /admin/departments``; ``parent`` is the department that it is below."""

    id: Name
    zh: Annotated[Name, Field(min_length=1)]
    en: Annotated[Name, Field(min_length=1)]
    parent: Name = ""


class DeviceBody(Body):
    """``POST /admin/devices``."""

    device: Name


def read_body[T: Body](model: type[T], request: Request, body: bytes) -> T:
    """The body as the model. Raises :class:`BodyError`, which names the member and repeats no value."""
    try:
        return model.model_validate(json_body(request, body or b"{}", ("application/json",)))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        text = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the body'}: {e['msg']}" for e in found[:5])
        raise BodyError(text) from None
