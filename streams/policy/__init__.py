"""The policy file: its sections, their rules, and what they mean for scoring, alerts and help.

It reads and checks documents. What an alert does with a policy belongs in alerts/.
"""
