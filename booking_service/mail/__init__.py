"""The mail room: an appointment goes in, a neutral message for the citizen comes out, and is sent.

It knows no database, no web page and no clock. What it writes names neither office nor concern.
"""
