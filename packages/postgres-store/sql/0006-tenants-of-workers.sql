-- Whose jobs a worker takes: marks of the tenants' names, not the names, as this table is nobody's. NULL: everybody's.
ALTER TABLE aquifer.workers ADD COLUMN tenants text[];
