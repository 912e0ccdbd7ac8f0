"""An SOS as its citizen raises and follows it, and incidents as the control room works on them."""
