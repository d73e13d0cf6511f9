"""The learning core: labels that come late, the models that learn from them, and how good they are.

Values only: no topic, file or clock. What is served to borrowers is in models/.
"""
