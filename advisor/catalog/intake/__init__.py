"""How the catalog's tables are made from publications: screening, comparing, importing."""
