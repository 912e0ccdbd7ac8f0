"""Place audits: how safe a place feels."""
