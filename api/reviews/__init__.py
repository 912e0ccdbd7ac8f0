"""Questions to humans."""
