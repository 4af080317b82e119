"""HTTP with Flask: what happens around every view. No door is here, and every door uses it."""
