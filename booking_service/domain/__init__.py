"""Values and rules of the county's appointments; the standard library only, and never the clock."""
