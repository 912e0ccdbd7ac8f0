"""Links between incidents, reports and observations of what may be one happening. Links never merge by themselves."""
