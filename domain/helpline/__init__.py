"""The women's helpline: requests, the line of those who wait, the talk with a counsellor. What is told stays in the vault."""
