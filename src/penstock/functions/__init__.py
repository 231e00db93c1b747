"""Functions: what is stored of them and of their mappings, and the workers that run them."""
