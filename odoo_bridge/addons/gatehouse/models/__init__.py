from . import gatehouse_rpc, ir_http, res_config_settings, res_users
