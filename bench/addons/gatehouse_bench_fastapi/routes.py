"""Routes for partners: typed in and out by pydantic, and called with an API key of Odoo's, as /json/2 is."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from odoo.addons.fastapi.dependencies import odoo_env
from odoo.api import Environment
from pydantic import BaseModel

router = APIRouter()


class Contact(BaseModel):
    """A partner in a list."""

    id: int
    name: str
    email: str | None


class Details(Contact):
    """A partner that is read."""

    phone: str | None
    street: str | None
    city: str | None


class Phone(BaseModel):
    """A partner whose phone number was changed."""

    id: int
    name: str
    phone: str | None


class NewContact(BaseModel):
    """Values for a new partner."""

    name: str
    email: str


class NewPhone(BaseModel):
    """Values for a partner that is there."""

    phone: str


class Nothing(BaseModel):
    """Values that are sent back as they came."""

    value: int | None = None
    flag: bool = False
    only_by_name: str = "x"
    ids: list[int] = []


async def user_env(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
    env: Annotated[Environment, Depends(odoo_env)],
) -> Environment:
    """Return the environment of the API key's user. As in /json/2, `rpc` stands for a key without a scope."""
    uid = env["res.users.apikeys"]._check_credentials(scope="rpc", key=credentials.credentials)
    if not uid:
        raise HTTPException(401, "Invalid API key")
    return env(user=uid)


UserEnvironment = Annotated[Environment, Depends(user_env)]


@router.get("/partners")
async def search(env: UserEnvironment, limit: int = 80) -> list[Contact]:
    """Return a page of partners; nobody counts all of them."""
    partners = env["res.partner"].search_fetch([], ["name", "email"], limit=limit)
    return [Contact(id=partner.id, name=partner.name, email=partner.email or None) for partner in partners]


@router.get("/partners/{partner_id}")
async def read(env: UserEnvironment, partner_id: int) -> Details:
    """Return a partner."""
    partner = env["res.partner"].browse(partner_id)
    partner.fetch(["name", "email", "phone", "street", "city"])
    return Details(
        id=partner.id,
        name=partner.name,
        email=partner.email or None,
        phone=partner.phone or None,
        street=partner.street or None,
        city=partner.city or None,
    )


@router.post("/partners")
async def create(env: UserEnvironment, values: NewContact) -> Contact:
    """Create a partner and return it."""
    partner = env["res.partner"].create(values.model_dump())
    return Contact(id=partner.id, name=partner.name, email=partner.email or None)


@router.patch("/partners/{partner_id}")
async def update(env: UserEnvironment, partner_id: int, values: NewPhone) -> Phone:
    """Change a partner and return it."""
    partner = env["res.partner"].browse(partner_id)
    partner.write(values.model_dump())
    return Phone(id=partner.id, name=partner.name, phone=partner.phone or None)


@router.post("/method")
async def nothing(env: UserEnvironment, values: Nothing) -> Nothing:
    """Return the arguments."""
    return values
