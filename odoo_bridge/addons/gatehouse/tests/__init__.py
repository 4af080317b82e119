from . import test_panel, test_rpc, test_settings
