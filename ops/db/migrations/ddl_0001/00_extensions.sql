-- Trusted extensions of PostgreSQL itself: the owner of the database may make them.
-- Names that are typed wrongly are found by their trigrams.
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
