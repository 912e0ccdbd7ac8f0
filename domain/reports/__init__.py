"""What neighbours saw: reports with place and time, confirmed or denied by others."""
