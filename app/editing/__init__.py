"""Changes by admins, by file, command line or panel: checked as a whole, then stored in one transaction."""
