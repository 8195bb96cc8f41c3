"""What-if: citizens arrive day by day and meet the real offers and plans, in an office that may differ.

`scenario` has the values, `files` reads them, `days` lives through them, `report` compares what came of it.
"""
