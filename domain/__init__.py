"""Rules and documents of Amaan. Imports nothing else of ours, and no web, queue or vendor library."""
