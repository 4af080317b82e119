from . import gatehouse_numbers, gatehouse_rpc, ir_http, res_config_settings, res_users
