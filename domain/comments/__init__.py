"""What neighbours say below a report, and how it moves them."""
