"""The use cases: one public function is one transaction; keyword arguments; the time is passed as `now`."""
