"""What people send as proof: uploads that may be interrupted, and the media that they become."""
