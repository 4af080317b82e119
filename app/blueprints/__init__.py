"""The doors: views that read a request, let the gateway work, and answer. None has rules of its own or uses another."""
