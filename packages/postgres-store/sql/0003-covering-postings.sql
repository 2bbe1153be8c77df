-- A search by keywords reads what it ranks with from the index alone: the postings of one term stand side by side there, and all over the table.
ALTER TABLE aquifer.postings DROP CONSTRAINT postings_pkey;
ALTER TABLE aquifer.postings ADD CONSTRAINT postings_pkey PRIMARY KEY (tenant, knowledge_base, term, chunk) INCLUDE (frequency, chunk_terms);
