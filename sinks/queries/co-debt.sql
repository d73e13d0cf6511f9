-- Borrowers by number of lenders, and how they are.
SELECT active_lenders, borrowers, average_lhi, average_pd, share_tense_or_worse FROM co_debt_now ORDER BY active_lenders
