"""Models and fields that no definition can expose, or let a client change: secrets, and ways around the policy."""

from __future__ import annotations

import re

#: Models that are refused whole. docs/definitions.md lists them for admins.
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

#: Models that can be read and never be changed: what is written there decides what others may do, or is run.
READ_ONLY_MODELS = frozenset(
    {
        "auth.oauth.provider",  # whom it trusts may log in as anybody
        "base.automation",
        "ir.asset",
        "ir.default",
        "ir.filters",
        "ir.logging",
        "ir.model",
        "ir.model.access",
        "ir.model.constraint",
        "ir.model.data",
        "ir.model.fields",
        "ir.model.fields.selection",
        "ir.model.inherit",
        "ir.model.relation",
        "ir.module.category",
        "ir.module.module",
        "ir.module.module.dependency",
        "ir.rule",
        "ir.sequence",
        "ir.ui.menu",
        "ir.ui.view",
        "ir.ui.view.custom",
        "mail.template",
        "report.paperformat",
        "res.company.ldap",
        "res.groups",
        "res.groups.privilege",
        "res.lang",
    }
)

#: Fields of users that say who may log in as them, and what they may do. They are written only where a definition names
#: them, and never as ``run_as``.
RIGHTS_FIELDS = frozenset(
    {
        "active",
        "all_group_ids",
        "company_id",
        "company_ids",
        "group_ids",
        "login",
        "oauth_provider_id",
        "oauth_uid",
        "partner_id",
        "role",
        "share",
        "user_group_warning",
    }
)

#: Their other sides, on other models.
_INVERSE_RIGHTS_FIELDS = frozenset({("res.company", "user_ids"), ("res.partner", "user_ids")})

#: Fields whose names say that their value is a secret, on any model.
_SECRET_FIELD = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|pwd|secret|smtp_pass|pass|pin|otp|credentials?)$"
    r"|(?:^|_)(?:api|private|secret|access|server|signature|hmac|hash|account|pos|pem|encryption|replacement|aade)_?"
    r"(?:hash)?key$"
    r"|(?:^|_)[a-z]*tokens?$"
    r"|^(?:totp_secret|totp_last_counter|signup_prepare|api_key_ids|auth_passkey_key_ids|device_ids|"
    r"totp_trusted_device_ids|signup_url|new_password|token|key_pem|content_pem)$"
)


#: Methods that read, write or filter by whatever field they are told. REST, with its checks field by field, is the way
#: to do what they do; what Odoo itself keeps private needs no mention here.
GENERIC_METHODS = frozenset(
    {
        "create",
        "export_data",
        "fetch",
        "formatted_read_group",
        "formatted_read_grouping_sets",
        "get_field_translations",
        "load",
        "name_search",
        "onchange",
        "read",
        "read_group",
        "read_progress_bar",
        "search",
        "search_count",
        "search_fetch",
        "search_panel_select_multi_range",
        "search_panel_select_range",
        "search_read",
        "update",
        "update_field_translations",
        "web_name_search",
        "web_override_translations",
        "web_read",
        "web_read_group",
        "web_resequence",
        "web_save",
        "web_save_multi",
        "web_search_read",
        "write",
    }
)


#: Methods that every model has, and that change records without being told a field.
CHANGING_METHODS = frozenset({"action_archive", "action_unarchive", "copy", "name_create", "toggle_active", "unlink"})


def is_secret_model(model: str) -> bool:
    """True if a model is refused whole; Gatehouse's own tables in the Odoo database are."""
    return model in SECRET_MODELS or model == "gatehouse" or model.startswith("gatehouse.")


def is_read_only_model(model: str) -> bool:
    """True if no client may change records of a model."""
    return model in READ_ONLY_MODELS or model.startswith(("ir.actions.", "res.config.")) or is_secret_model(model)


def is_rights_field(model: str, name: str) -> bool:
    """True if a field says who may log in as a user, or what a user may do."""
    if model != "res.users":
        return (model, name) in _INVERSE_RIGHTS_FIELDS
    return name in RIGHTS_FIELDS or name.startswith(("in_group_", "sel_groups_"))


def is_secret_field(model: str, name: str) -> bool:
    """True if a field is refused, wherever it appears."""
    return is_secret_model(model) or bool(_SECRET_FIELD.search(name))
