-- Source code has words of its own: what is common in it is rare elsewhere.

CREATE TEXT SEARCH CONFIGURATION code (COPY = english);
COMMENT ON TEXT SEARCH CONFIGURATION code IS 'Words of source code, stemmed as English is';
