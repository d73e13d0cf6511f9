"""Days to shortfall: on which day, over the next 90, the balance can't meet what falls due, and how sure that is."""
