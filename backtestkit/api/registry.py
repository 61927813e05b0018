"""The functions that register, change and show schemas, nine kinds of them, in the current kit."""

from backtestkit.api.schema_functions import schema_functions

add_strategy, override_strategy, get_strategy_schema, list_strategy_schema = schema_functions("strategy")
add_exchange, override_exchange, get_exchange_schema, list_exchange_schema = schema_functions("exchange")
add_frame, override_frame, get_frame_schema, list_frame_schema = schema_functions("frame")
add_risk, override_risk, get_risk_schema, list_risk_schema = schema_functions("risk")
add_sizing, override_sizing, get_sizing_schema, list_sizing_schema = schema_functions("sizing")
add_walker, override_walker, get_walker_schema, list_walker_schema = schema_functions("walker")
add_action, override_action, get_action_schema, list_action_schema = schema_functions("action")
add_sweep, override_sweep, get_sweep_schema, list_sweep_schema = schema_functions("sweep")
add_mcp, override_mcp, get_mcp_schema, list_mcp_schema = schema_functions("mcp")
