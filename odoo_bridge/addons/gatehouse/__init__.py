from . import controllers, models


def uninstall_hook(env):
    """Take the switches along: an addon that is installed again begins with everything open, as the first time."""
    env["ir.config_parameter"].search([("key", "=like", "gatehouse.%")]).unlink()
