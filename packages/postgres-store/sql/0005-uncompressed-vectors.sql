-- Vectors hardly compress, and trying to took most of the time of storing them. Up to some 2,000 dimensions they stay beside the row: reading all of
-- them from a table of their own would take half as long again.
ALTER TABLE aquifer.embeddings ALTER COLUMN vector SET STORAGE EXTERNAL;
ALTER TABLE aquifer.embeddings SET (toast_tuple_target = 8160);
