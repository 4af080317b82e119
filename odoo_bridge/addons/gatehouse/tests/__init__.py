from . import test_dashboard, test_panel, test_rpc, test_settings
