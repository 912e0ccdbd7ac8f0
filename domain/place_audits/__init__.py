"""Place audits: how safe a place feels, in Safetipin's nine parameters."""
