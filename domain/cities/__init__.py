"""Cities: what a city is, as data. Boundary, agencies, helplines, categories, ladders, hours, retention, targets."""
