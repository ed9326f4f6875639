"""The tests: each name is a sentence, each body shows one behaviour."""
