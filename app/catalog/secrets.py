"""What no definition can expose: models and fields that hold secrets, or that would open a way around the policy."""

from __future__ import annotations

import re

#: Models that are refused whole. The README lists them for admins.
SECRET_MODELS = frozenset(
    {
        "auth.passkey.key",
        "auth.passkey.key.create",
        "auth_totp.device",
        "auth_totp.wizard",
        "change.password.own",
        "change.password.user",
        "change.password.wizard",
        "fetchmail.server",
        "ir.actions.server",  # code that Odoo runs: whoever writes it owns the server
        "ir.config_parameter",  # holds database.secret among others
        "ir.cron",
        "ir.mail_server",
        "payment.provider",
        "payment.token",
        "res.device",
        "res.device.log",  # session identifiers
        "res.users.apikeys",
        "res.users.apikeys.description",
        "res.users.apikeys.show",
        "res.users.identitycheck",
        "certificate.key",
        "iap.account",
    }
)

#: Fields whose names say that their value is a secret, on any model.
_SECRET_FIELD = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|pwd|secret|api_?key|private_key|secret_key|access_key|smtp_pass|pass)$"
    r"|(?:^|_)(?:access|refresh|auth|session|signup|security|oauth|bearer|api|push|invitation)_?token$"
    r"|^(?:totp_secret|totp_last_counter|signup_prepare|api_key_ids|auth_passkey_key_ids|device_ids|"
    r"totp_trusted_device_ids|signup_url|new_password|token|key_pem|content_pem)$"
)


def is_secret_model(model: str) -> bool:
    """Whether a model is refused whole; Gatehouse's own tables in the Odoo database are."""
    return model in SECRET_MODELS or model == "gatehouse" or model.startswith("gatehouse.")


def is_secret_field(model: str, name: str) -> bool:
    """Whether a field is refused, wherever it appears."""
    return is_secret_model(model) or bool(_SECRET_FIELD.search(name))
