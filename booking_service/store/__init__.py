"""Where things are kept: tables, queries, county folders. Knows no use case and reads no clock."""
