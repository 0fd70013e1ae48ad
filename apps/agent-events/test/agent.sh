# Prints what an agent would.
echo '{"type": "system", "subtype": "init", "model": "a-model", "cwd": "/work"}'
echo 'Warning: no JSON'
echo '{"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "Read", "input": {"path": "a"}}]}}'
echo '{"type": "result", "subtype": "success", "num_turns": 1, "duration_ms": 2000, "total_cost_usd": 0.5, "result": "Read."}'
