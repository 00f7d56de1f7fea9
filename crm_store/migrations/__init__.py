"""The history of the tables, for Alembic. Run by `crm_store.migrating.migrate`."""
