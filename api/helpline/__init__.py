"""The helpline as her phone and as the counsellors' desk see it."""
