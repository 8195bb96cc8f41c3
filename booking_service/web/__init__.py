"""What is reached by HTTP: the API and the pages. Translates requests into use cases, and decides nothing."""
