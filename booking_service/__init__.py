"""Terminlotse: appointments at the regional sites of a county, kept by central specialists."""
