"""What a scoring means for each lender: who hears it, with which reasons, advice, help and contact time.

It decides and returns values. It keeps no state, encodes nothing and knows no topic.
"""
