"""How one event changes a borrower's record, and how the traces that behaviours read are kept.

It never scores, and decides nothing by the wall clock or by what came before in other records.
"""
