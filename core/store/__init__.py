"""The database: its connection, its tables, their migrations. It knows no job's meaning."""
