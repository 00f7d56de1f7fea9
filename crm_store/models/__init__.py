"""The tables, one per file. Import `crm_store.models.tables` to have them all registered."""
