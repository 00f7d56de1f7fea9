"""The customer store: customers, interactions, notes, dispositions. The only place that speaks SQL."""
