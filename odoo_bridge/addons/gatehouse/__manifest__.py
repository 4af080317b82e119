{
    "name": "Gatehouse",
    "summary": "Close Odoo's own RPC, expose models as governed APIs, and see how they are called",
    "version": "19.0.1.1.0",
    "category": "Extra Tools",
    "author": "Gatehouse contributors",
    "license": "LGPL-3",
    # Not rpc: its routes are recognised where they are, and where it is not installed there is nothing to close.
    "depends": ["base_setup", "web"],
    "data": [
        "security/ir.model.access.csv",
        "views/res_config_settings.xml",
        "views/dashboard.xml",
        "views/menus.xml",
    ],
    "assets": {"web.assets_backend": ["gatehouse/static/src/**/*"]},
    "uninstall_hook": "uninstall_hook",
    "installable": True,
    "application": True,
}
